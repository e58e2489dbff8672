"""Active units: how many latent dimensions carry something about what was encoded.

AU = number of d with  Var over rows of mean_d > 0.01
Source: Burda, Grosse and Salakhutdinov 2016, arXiv:1509.00519
"""

from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import latents
from evenkeel.metrics.gather import TensorOrArray, row_weight
from evenkeel.metrics.latents import code


def active_units(
    latent: TensorOrArray,
    target: TensorOrArray | None = None,
    weight: TensorOrArray | None = None,
    *,
    threshold: float = 0.01,
) -> float | None:
    """Number of dimensions of codes (row, 2·unit) whose mean varies over the rows by more than `threshold`.

    The target plays no part. None where there are no rows.

    Example:
        >>> import numpy as np
        >>> active_units(np.array([[1.0, 0.3, 0.0, 0.0], [-1.0, 0.3, 0.0, 0.0]]))  # means (1, .3) and (-1, .3)
        1.0

    """
    mean = code(latent).mean
    rows = row_weight(weight, len(mean)).unsqueeze(1)
    if not float(rows.sum()):
        return None
    center = (rows * mean).sum(0) / rows.sum()
    variance = (rows * (mean - center) ** 2).sum(0) / rows.sum()
    return float((variance > threshold).sum())


ACTIVE_UNITS = Metric(
    name="active_units",
    summary="latent dimensions that carry something",
    source="Burda, Grosse and Salakhutdinov 2016, arXiv:1509.00519",
    call=active_units,
    expects=("latent",),
    better="higher",
    example=latents,
    explanation="latent dimensions that carry something",
)
