"""Quantiles of any predicted distribution: its own, its inverse cdf, or the cdf inverted by bisection."""

import math
from typing import Any

import torch
from torch import Tensor

from evenkeel.errors import RequestError
from evenkeel.metrics.gather import as_double

HALVINGS = 80
"""Doublings to find a bracket, then halvings of it: beyond these float64 has no digits left to gain."""


def quantiles(distribution: Any, probability: Tensor) -> Tensor:
    """Quantiles of every row at each probability: (probability, row, ...) in float64."""
    if hasattr(distribution, "quantile"):
        return torch.stack([as_double(distribution.quantile(float(q))) for q in probability])
    if hasattr(distribution, "cdf") and hasattr(distribution, "mean"):
        mean = as_double(distribution.mean)
        levels = probability.double().reshape(-1, *[1] * mean.ndim).expand(-1, *mean.shape)
        try:
            return as_double(distribution.icdf(levels))
        except (NotImplementedError, AttributeError):  # torch's base class has the name without the function
            return _bisect(distribution, levels, mean)
    kind = type(distribution).__name__
    raise RequestError(
        f"a distribution needs .quantile(q), or .cdf(y) and .mean, {kind} has neither; try Normal(mean, std)"
    )


def central_interval(distribution: Any, level: float) -> Tensor:
    """The lower and upper end (2, row, ...) of the interval that holds `level` of the probability.

    A distribution's own `interval`, where it has one (counts may prefer the shortest one), else that with equal tails.
    """
    if not 0 < level < 1:
        raise RequestError(f"level must lie between 0 and 1, got {level:g}; try level=0.9")
    if callable(getattr(distribution, "interval", None)):
        return torch.stack([as_double(end) for end in distribution.interval(level)])
    return quantiles(distribution, torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64))


def _bisect(distribution: Any, levels: Tensor, mean: Tensor) -> Tensor:
    """Invert the cdf; values below the support, which torch's distributions refuse, never occur."""
    floor = float(getattr(getattr(distribution, "support", None), "lower_bound", -math.inf))
    low, high = (mean - 1).clamp(min=floor).expand_as(levels), (mean + 1).expand_as(levels)
    for _ in range(HALVINGS):
        width = high - low
        low = torch.where(as_double(distribution.cdf(low)) > levels, (low - width).clamp(min=floor), low)
        high = torch.where(as_double(distribution.cdf(high)) < levels, high + width, high)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = as_double(distribution.cdf(middle)) < levels
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return (low + high) / 2
