"""Hamming loss: the share of labels that are wrong when each is decided at probability one half."""

from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import labels
from evenkeel.metrics.gather import TensorOrArray, mean, pair


def hamming(probability: TensorOrArray, target: TensorOrArray, weight: TensorOrArray | None = None) -> float:
    """Share of wrong labels, 0..1: probabilities above one half against 0/1 labels of the same shape.

    Example:
        >>> import numpy as np
        >>> hamming(np.array([[0.9, 0.8]]), np.array([[1, 0]]))
        0.5

    """
    predicted, true = pair(probability, target)
    return mean(((predicted > 0.5) != (true > 0.5)).double(), weight)


HAMMING = Metric(
    name="hamming",
    summary="share of labels that are wrong",
    source="Schapire and Singer 1999, doi:10.1023/A:1007614523901",
    call=hamming,
    expects=("label-probability",),
    better="lower",
    example=labels,
    explanation="share of labels that are wrong; lower is better",
    form="percent",
)
