"""The first layer of a net over steps: tokens, vectors of numbers, or the patches of an image, to units.

Each checks its inputs, and gives its units a variance of about 1 for inputs of variance 1.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.errors import DataError, RequestError, ShapeError
from evenkeel.nets.blocks import draw_
from evenkeel.shapes import Float, Shaped, Tensor


class TokenInput(nn.Embedding):
    """One learned vector for each token of a vocabulary.

    Shapes: (batch, step), whole numbers -> (batch, step, unit).

    Example:
        >>> TokenInput(100, 8)(torch.tensor([[3, 14, 15]])).shape
        torch.Size([1, 3, 8])
    """

    def __init__(self, vocabulary: int, width: int, *, variance: float = 1.0) -> None:
        if vocabulary < 1:
            raise RequestError(f"a vocabulary needs at least one token, got vocabulary={vocabulary}")
        super().__init__(vocabulary, width)
        nn.init.normal_(self.weight, std=math.sqrt(variance))

    @override
    def forward(self, input: Shaped[Tensor, "batch *step"]) -> Float[Tensor, "batch step unit"]:
        if input.dim() != 2 or input.is_floating_point() or input.dtype == torch.bool or not input.shape[1]:
            raise ShapeError(
                f"tokens must be whole numbers of shape (batch, step) with at least one step, got {input.dtype} of "
                f"shape {tuple(input.shape)}; for numbers at each step build the net with channels=..."
            )
        # Only where looking is cheap: a device would have to be waited for.
        if input.device.type == "cpu" and input.numel() and not torch.compiler.is_compiling():
            least, most = (int(end) for end in input.aminmax())
            if least < 0 or most >= self.num_embeddings:
                raise DataError(
                    f"tokens must be from 0 to {self.num_embeddings - 1}, got {least} to {most}; "
                    f"try vocabulary={most + 1}, or lengths=... where padding stands"
                )
        return super().forward(input if input.dtype == torch.int32 else input.long())


class ValueInput(nn.Linear):
    """A linear map of the numbers at each step.

    Shapes: (batch, step, channel) -> (batch, step, unit).

    Example:
        >>> ValueInput(3, 8)(torch.zeros(2, 5, 3)).shape
        torch.Size([2, 5, 8])
    """

    def __init__(self, channels: int, width: int, *, variance: float = 1.0) -> None:
        check_channels(channels)
        super().__init__(channels, width)
        draw_(self, variance)

    @override
    def forward(self, input: Shaped[Tensor, "batch *axis"]) -> Float[Tensor, "batch step unit"]:
        if input.dim() != 3 or input.shape[2] != self.in_features or not input.shape[1]:
            raise ShapeError(
                f"this net reads (batch, step, channel) with {self.in_features} channels and at least one step, got "
                f"shape {tuple(input.shape)}; try permute, or build it with another channels=..."
            )
        check_floating(input)
        return super().forward(input)


class PatchInput(nn.Conv2d):
    """A linear map of each square patch of an image; zeros fill up the last ones where the size does not divide.

    Shapes: (batch, channel, height, width) -> (batch, rows, columns, unit).

    Example:
        >>> PatchInput(3, 8, patch=4)(torch.zeros(2, 3, 9, 8)).shape
        torch.Size([2, 3, 2, 8])
    """

    def __init__(self, channels: int, width: int, *, patch: int, variance: float = 1.0) -> None:
        check_channels(channels)
        if patch < 1:
            raise RequestError(f"a patch is at least one pixel wide, got patch={patch}")
        super().__init__(channels, width, patch, stride=patch)
        self.patch = patch
        draw_(self, variance)

    @override
    def forward(self, input: Shaped[Tensor, "batch *axis"]) -> Float[Tensor, "batch row column unit"]:
        if input.dim() != 4 or input.shape[1] != self.in_channels or 0 in input.shape[2:]:
            raise ShapeError(
                f"this net reads images (batch, channel, height, width) with {self.in_channels} channels, got shape "
                f"{tuple(input.shape)}; try permute, or patch=None for sequences"
            )
        check_floating(input)
        below, right = (-size % self.patch for size in input.shape[2:])
        filled = functional.pad(input, (0, right, 0, below)) if below or right else input
        return super().forward(filled).permute(0, 2, 3, 1)  # (batch, unit, row, column) -> (batch, row, column, unit)


def check_channels(channels: int) -> None:
    """Refuse a number of channels below 1."""
    if channels < 1:
        raise RequestError(f"a net needs at least one channel, got channels={channels}")


def check_floating(values: Tensor) -> None:
    """Refuse whole numbers where measurements are expected."""
    if not values.is_floating_point():
        raise ShapeError(f"this net reads floating-point numbers, got {values.dtype}; try scaling: x.float() / 255")
