"""Reduce one value per element or example to their mean, their sum, or leave all of them.

mean = Σ w·v / Σ w,   and 0 where Σ w = 0 (no rows, or all of them ignored)
"""

import torch
from torch import Tensor

from evenkeel.errors import RequestError


def reduce(values: Tensor, reduction: str, *, weight: Tensor | None = None) -> Tensor:
    """Reduce `values`; `weight` broadcasts against them. A weight of 0 removes a value even where it is infinite."""
    if weight is None:
        return _reduced(values, reduction, max(values.numel(), 1))
    weight = weight.to(values).expand_as(values)
    return _reduced(torch.where(weight == 0, 0.0, values * weight), reduction, _at_least_something(weight.sum()))


def reduce_weighted(values: Tensor, reduction: str, total: Tensor) -> Tensor:
    """Reduce values that carry their weights already; `total` is the sum of those weights."""
    return _reduced(values, reduction, _at_least_something(total))


def _reduced(values: Tensor, reduction: str, total: Tensor | int) -> Tensor:
    if reduction == "none":
        return values
    if reduction == "sum":
        return values.sum()
    if reduction == "mean":
        return values.sum() / total
    raise RequestError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}; try 'mean'")


def _at_least_something(total: Tensor) -> Tensor:
    """The divisor of a mean; no test on the host, so that a GPU need not wait."""
    return torch.where(total == 0, torch.ones_like(total), total)
