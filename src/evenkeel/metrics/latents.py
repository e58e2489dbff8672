"""A latent code as one matrix: means of all dimensions, then their log-variances."""

from typing import NamedTuple

from torch import Tensor

from evenkeel.errors import ShapeError
from evenkeel.metrics.gather import TensorOrArray, as_double


class Code(NamedTuple):
    """Mean and log-variance, both (row, unit)."""

    mean: Tensor
    log_variance: Tensor


def code(latent: TensorOrArray) -> Code:
    """The two halves of (row, 2·unit), in float64."""
    both = as_double(latent)
    if both.ndim != 2 or both.shape[1] % 2:
        raise ShapeError(
            f"a latent code must be (row, 2·unit), means and then log-variances, got {tuple(both.shape)}; "
            "try torch.cat([mean, log_variance], 1)"
        )
    return Code(*both.chunk(2, dim=1))
