"""Expected calibration error: how far stated confidence is from how often it is right.

ECE = Σ_bins (share of rows in the bin) · |mean confidence - share correct|,  bins of equal width over 0..1
classes: confidence is the largest probability; labels: the probability of each label, its truth the outcome
Source: Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602; Guo et al. 2017, arXiv:1706.04599
"""

import torch

from evenkeel.metrics.base import Metric
from evenkeel.metrics.class_scores import labelled
from evenkeel.metrics.examples import classes
from evenkeel.metrics.gather import TensorOrArray, row_weight


def calibration_error(
    probability: TensorOrArray, target: TensorOrArray, weight: TensorOrArray | None = None, *, bins: int = 15
) -> float:
    """Expected calibration error, 0..1, of probabilities (row, label) against classes (row,) or labels (row, label).

    Example:
        >>> import numpy as np
        >>> round(calibration_error(np.array([[0.8, 0.2], [0.8, 0.2]]), np.array([0, 1])), 4)  # sure .8, right .5
        0.3

    """
    scored = labelled(probability, target)
    rows = row_weight(weight, len(scored.score)).unsqueeze(1)
    if scored.exclusive:
        confidence, chosen = scored.score.max(1, keepdim=True)
        outcome = scored.truth.gather(1, chosen)
    else:
        confidence, outcome = scored.score, scored.truth
    inside = (confidence * bins).ceil().long().clamp(1, bins) - 1
    gap = torch.zeros(bins, dtype=torch.float64)
    gap.index_add_(0, inside.flatten(), (rows * (confidence - outcome)).flatten())
    return float(gap.abs().sum() / rows.expand_as(confidence).sum())


CALIBRATION_ERROR = Metric(
    name="calibration_error",
    summary="how far stated confidence is from how often it is right",
    source="Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602",
    call=calibration_error,
    expects=("class-probability", "label-probability"),
    better="lower",
    example=classes,
    explanation="mean gap between confidence and accuracy",
    form="percent",
)
