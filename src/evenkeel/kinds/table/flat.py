"""Flatten a table to one matrix, for nets of the user's own and for plain models."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.shapes import Float, Int, Tensor


class FlatInputs(nn.Module):
    """Flatten numbers and categories for a net that takes one tensor: missing as 0 with a flag, levels one-hot.

    Shapes: numbers (batch, column), categories (batch, other) -> the net's input (batch, 2·column + codes).
    """

    def __init__(self, net: nn.Module, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.net, self.levels = net, levels

    @override
    def forward(
        self, numbers: Float[Tensor, "batch column"], categories: Int[Tensor, "batch other"]
    ) -> Float[Tensor, "*lead batch unit"]:
        return self.net(flatten(numbers, categories, self.levels))


def flatten(
    numbers: Float[Tensor, "batch column"], categories: Int[Tensor, "batch other"], levels: tuple[int, ...]
) -> Float[Tensor, "batch unit"]:
    """Flatten to one matrix: numbers (0 where missing), flags of missing numbers, one-hot levels."""
    missing = numbers.isnan()
    codes = [
        functional.one_hot(column.long(), count).to(numbers.dtype)
        for column, count in zip(categories.unbind(1), levels, strict=True)
    ]
    return torch.cat([numbers.masked_fill(missing, 0.0), missing.to(numbers.dtype), *codes], dim=1)
