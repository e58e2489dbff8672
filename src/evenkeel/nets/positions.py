"""Where a step or patch stands: learned vectors added to it, or a turn of its queries and keys.

    rotary     pair j of a query or key at position p turns by the angle p · 10000^(-j / pairs),
               so that query · key depends on how far apart they are alone
    learned    a vector for each place along each axis

A position has one number for each axis: the step, or row and column of a patch, each of which turns its own pairs.
Source: Su et al. 2021, arXiv:2104.09864; Dosovitskiy et al. 2021, arXiv:2010.11929
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from typing_extensions import override

from evenkeel.errors import RequestError, ShapeError
from evenkeel.shapes import Float, Int, Tensor

BASE = 10_000.0  # the slowest pair turns once in 2·pi·BASE steps, as in the paper


def positions_of(
    sizes: Sequence[int], *, start: int = 0, device: torch.device | None = None
) -> Int[Tensor, "step axis"]:
    """The place of every step along each axis, the last axis running fastest; the first begins at `start`.

    Example:
        >>> positions_of((2, 2)).tolist(), positions_of((2,), start=7).tolist()
        ([[0, 0], [0, 1], [1, 0], [1, 1]], [[7], [8]])
    """
    begins = [start] + [0] * (len(sizes) - 1)
    axes = [torch.arange(begin, begin + size, device=device) for begin, size in zip(begins, sizes, strict=True)]
    return torch.cartesian_prod(*axes).view(-1, len(sizes))


def rotation_of(positions: Int[Tensor, "step axis"], head_width: int) -> Float[Tensor, "2 step pair"]:
    """Cosine and sine of the angle by which each pair of units turns at each position.

    Raises:
        RequestError: a head whose width is no multiple of 2 for each axis.
    """
    axes = positions.shape[1]
    check_head_width(head_width, axes)
    pairs = head_width // (2 * axes)
    # In float32 whatever the net computes in: in half precision far positions would fall together.
    exponents = torch.arange(pairs, device=positions.device, dtype=torch.float32) / pairs
    angles = positions.unsqueeze(2).float() * torch.exp(-math.log(BASE) * exponents)
    return torch.stack((angles.cos(), angles.sin())).flatten(2)


def check_head_width(head_width: int, axes: int) -> None:
    """Refuse a head whose units do not pair up for each axis."""
    if head_width % (2 * axes):
        raise RequestError(
            f"rotary positions turn pairs of units along each axis, so width / attention_heads must be a multiple of "
            f"{2 * axes}, got {head_width}; try another width or number of heads, or positions='learned'"
        )


def turned(
    x: Float[Tensor, "batch head step unit"], rotation: Float[Tensor, "2 step pair"]
) -> Float[Tensor, "batch head step unit"]:
    """Queries or keys turned by their positions: unit j with unit j + pairs.

    Example:
        >>> rotation = rotation_of(positions_of((2,)), 2)
        >>> turned(torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]]]), rotation)[0, 0, 1]  # cos 1 and sin 1
        tensor([0.5403, 0.8415])
    """
    cosine, sine = rotation.to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cosine - second * sine, first * sine + second * cosine), dim=-1)


class LearnedPositions(nn.Module):
    """A vector for each place along each axis; those of all axes add up to a variance of `variance`.

    Args:
        axes: 1 for steps, 2 for rows and columns.
        longest: places along one axis.
        width: units.
        variance: of each unit of the sum.

    Shapes: sizes along each axis -> (step, unit).

    Raises:
        ShapeError: more places than there are.

    Example:
        >>> LearnedPositions(2, 10, 8)((3, 4)).shape
        torch.Size([12, 8])
    """

    def __init__(self, axes: int, longest: int, width: int, *, variance: float = 1.0) -> None:
        super().__init__()
        if longest < 1:
            raise RequestError(f"learned positions need at least one place, got longest={longest}")
        self.axes, self.longest = axes, longest
        self.weight = nn.Parameter(torch.randn(axes, longest, width) * math.sqrt(variance / axes))

    @override
    def forward(self, sizes: Sequence[int], start: int = 0) -> Float[Tensor, "step unit"]:
        needed = max(start + sizes[0], *sizes)
        if needed > self.longest:
            raise ShapeError(
                f"learned positions go up to longest={self.longest} along an axis, got {needed}; "
                "try a larger longest, shorter inputs, or positions='rotary', which have no end"
            )
        places = positions_of(sizes, start=start, device=self.weight.device)
        return torch.stack([table[at] for table, at in zip(self.weight, places.unbind(1), strict=True)]).sum(0)
