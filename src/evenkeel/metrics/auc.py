"""Area under the ROC curve: the chance that a random positive row is scored above a random negative one.

AUC = P(score⁺ > score⁻) + P(score⁺ = score⁻) / 2;   classes: mean over one-vs-rest; labels: mean over labels
Source: Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747
"""

import numpy as np
from sklearn.metrics import roc_auc_score

from evenkeel.metrics.base import Metric
from evenkeel.metrics.class_scores import labelled, mean_over_labels
from evenkeel.metrics.examples import classes
from evenkeel.metrics.gather import TensorOrArray


def auc(probability: TensorOrArray, target: TensorOrArray, weight: TensorOrArray | None = None) -> float | None:
    """AUC of probabilities (row, label) against classes (row,) or 0/1 labels (row, label), or of (row,) against 0/1.

    Two classes give one value. Classes or labels that are always or never true have no AUC and are left out of the
    mean; where none is left the result is None.

    Example:
        >>> import numpy as np
        >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
        0.75

    """
    return mean_over_labels(labelled(probability, target), weight, _auc)


def _auc(score: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> float:
    return float(roc_auc_score(truth, score, sample_weight=weight))


AUC = Metric(
    name="auc",
    summary="chance that a positive row is scored above a negative one",
    source="Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747",
    call=auc,
    expects=("class-probability", "label-probability"),
    better="higher",
    example=classes,
    explanation="chance that a row of the class is ranked above one that is not",
)
