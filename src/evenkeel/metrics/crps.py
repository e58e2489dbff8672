"""Continuous ranked probability score: the absolute error, for a prediction that is a distribution.

CRPS = ∫ (F(x) - [x >= y])² dx   [units of the target];   of a certain prediction it is the absolute error
Source: Gneiting and Raftery 2007, doi:10.1198/016214506000001437
"""

from typing import Any

import numpy as np
from torch import Tensor

from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import normals
from evenkeel.metrics.gather import TensorOrArray, as_double, mean
from evenkeel.metrics.sample_crps import crps_of_distribution, crps_of_samples


def crps(distribution: Any, target: TensorOrArray, weight: TensorOrArray | None = None) -> float:
    """Mean CRPS, rows of the target on axis 0, in its units.

    `distribution` is a Normal or a mixture of them (closed form), an object with `.quantile(q)` or with `.cdf(y)` and
    `.mean` (numerical, to about 1e-4 of its width), or samples (sample, row, ...) as a tensor or array.

    Example:
        >>> import numpy as np
        >>> crps(np.array([[0.0], [2.0]]), np.array([1.0]))  # E|X - y| - E|X - X'| / 2
        0.5

    """
    true = as_double(target)
    if isinstance(distribution, Tensor | np.ndarray):
        return mean(crps_of_samples(as_double(distribution), true), weight)
    return mean(crps_of_distribution(distribution, true), weight)


CRPS = Metric(
    name="crps",
    summary="absolute error of a predicted distribution",
    source="Gneiting and Raftery 2007, doi:10.1198/016214506000001437",
    call=crps,
    expects=("distribution",),
    better="lower",
    example=normals,
    explanation="error of the whole predicted distribution, in the target's units",
    unit="target",
)
