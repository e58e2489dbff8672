"""Root mean squared error: the typical size of an error, large ones counted more.

RMSE = sqrt(Σ w (prediction - target)² / Σ w)   [units of the target]
"""

import math

from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import values
from evenkeel.metrics.gather import TensorOrArray, mean, pair


def rmse(prediction: TensorOrArray, target: TensorOrArray, weight: TensorOrArray | None = None) -> float:
    """Root mean squared error of values of one shape, rows on axis 0, in the units of the target.

    Example:
        >>> import numpy as np
        >>> rmse(np.array([1.0, 2.0]), np.array([1.0, 4.0])) ** 2
        2.0000000000000004

    """
    predicted, true = pair(prediction, target)
    return math.sqrt(mean((predicted - true) ** 2, weight))


RMSE = Metric(
    name="rmse",
    summary="typical size of an error, large ones counted more",
    source="Gauss 1809, Theoria motus",
    call=rmse,
    expects=("value",),
    better="lower",
    example=values,
    explanation="root of the mean squared error",
    unit="target",
)
