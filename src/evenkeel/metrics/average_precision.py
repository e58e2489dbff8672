"""Average precision: the area under the precision-recall curve, the measure for rare positives.

AP = Σ_n (R_n - R_{n-1}) P_n over the thresholds n;   classes: mean over one-vs-rest; labels: mean over labels
Source: Zhu 2004, Recall, precision and average precision
"""

import numpy as np
from sklearn.metrics import average_precision_score

from evenkeel.metrics.base import Metric
from evenkeel.metrics.class_scores import labelled, mean_over_labels
from evenkeel.metrics.examples import classes
from evenkeel.metrics.gather import TensorOrArray


def average_precision(
    probability: TensorOrArray, target: TensorOrArray, weight: TensorOrArray | None = None
) -> float | None:
    """Average precision of probabilities (row, label) against classes (row,) or labels (row, label), or (row,) and 0/1.

    Two classes give one value, that of class 1. Classes or labels that are always or never true are left out of the
    mean; where none is left the result is None.

    Example:
        >>> import numpy as np
        >>> round(average_precision(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])), 4)
        0.8333

    """
    return mean_over_labels(labelled(probability, target), weight, _average_precision)


def _average_precision(score: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> float:
    return float(average_precision_score(truth, score, sample_weight=weight))


AVERAGE_PRECISION = Metric(
    name="average_precision",
    summary="area under the precision-recall curve, for rare positives",
    source="Zhu 2004, Recall, precision and average precision",
    call=average_precision,
    expects=("class-probability", "label-probability"),
    better="higher",
    example=classes,
    explanation="precision averaged over recall",
)
