"""Mean absolute error: the average size of an error.

MAE = Σ w |prediction - target| / Σ w   [units of the target]
"""

from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import values
from evenkeel.metrics.gather import TensorOrArray, mean, pair


def mae(prediction: TensorOrArray, target: TensorOrArray, weight: TensorOrArray | None = None) -> float:
    """Mean absolute error of values of one shape, rows on axis 0, in the units of the target.

    Example:
        >>> import numpy as np
        >>> mae(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
        1.0

    """
    predicted, true = pair(prediction, target)
    return mean((predicted - true).abs(), weight)


MAE = Metric(
    name="mae",
    summary="average size of an error",
    source="Laplace 1774",
    call=mae,
    expects=("value",),
    better="lower",
    example=values,
    explanation="mean absolute error",
    unit="target",
)
