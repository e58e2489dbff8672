"""Coefficient of determination: the share of the target's variance that the prediction explains.

R² = 1 - Σ w (y - prediction)² / Σ w (y - mean y)²;   1 is perfect, 0 is the mean, negative is worse than the mean
"""

from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import values
from evenkeel.metrics.gather import TensorOrArray, pair, row_weight


def r2(prediction: TensorOrArray, target: TensorOrArray, weight: TensorOrArray | None = None) -> float | None:
    """R² of values of one shape, rows on axis 0; several columns are averaged. None where the target is constant.

    Example:
        >>> import numpy as np
        >>> r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 6.0])) < 1
        True

    """
    predicted, true = pair(prediction, target)
    rows = row_weight(weight, len(true)).unsqueeze(1)
    if not len(true):
        return None
    predicted, true = predicted.reshape(len(true), -1), true.reshape(len(true), -1)
    residual = (rows * (true - predicted) ** 2).sum(0)
    spread = (rows * (true - (rows * true).sum(0) / rows.sum()) ** 2).sum(0)
    if bool((true == true[0]).all(0).any()):
        return None
    return float((1 - residual / spread).mean())


R2 = Metric(
    name="r2",
    summary="share of the target's variance explained",
    source="Wright 1921",
    call=r2,
    expects=("value",),
    better="higher",
    example=values,
    explanation="share of the variance explained; 0 is the mean alone, 1 is perfect",
)
