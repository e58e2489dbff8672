"""Reconstruction error: how far what was decoded is from what was encoded.

E = mean over elements of (reconstruction - target)²   [units of the target, squared]
Source: Hinton and Salakhutdinov 2006, doi:10.1126/science.1127647
"""

from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import values
from evenkeel.metrics.gather import TensorOrArray, mean, pair


def reconstruction(prediction: TensorOrArray, target: TensorOrArray, weight: TensorOrArray | None = None) -> float:
    """Mean squared error of each element of (row, ...), rows on axis 0.

    Example:
        >>> import numpy as np
        >>> reconstruction(np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]]))
        2.0

    """
    decoded, true = pair(prediction, target)
    return mean((decoded - true) ** 2, weight)


RECONSTRUCTION = Metric(
    name="reconstruction",
    summary="mean squared error of what was decoded",
    source="Hinton and Salakhutdinov 2006, doi:10.1126/science.1127647",
    call=reconstruction,
    expects=("value",),
    better="lower",
    example=values,
    explanation="mean squared error of what was decoded",
)
