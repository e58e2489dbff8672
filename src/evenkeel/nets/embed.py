"""Columns as a network likes them: numbers cut into pieces, missing values flagged, categories as vectors.

Piecewise-linear encoding of x with edges b_0 < ... < b_T:   e_t = clip((x - b_(t-1)) / (b_t - b_(t-1)), 0, 1)
lets the first layer bend at every edge, which a plain layer learns only slowly.
Source: Gorishniy et al. 2022, arXiv:2203.05556, section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from typing_extensions import override

from evenkeel.shapes import Float, Int, Tensor

# The first layer sees this many rows at most for its quantiles: more do not move them visibly.
ROWS_FOR_EDGES = 100_000


def quantile_edges(numbers: Float[Tensor, "row column"], bins: int) -> list[Tensor]:
    """Distinct quantiles of each column as edges, at most `bins` pieces; a column of one value gives none."""
    stride = max(1, math.ceil(len(numbers) / ROWS_FOR_EDGES))
    at = torch.linspace(0, 1, bins + 1, dtype=torch.float64)
    edges = []
    for column in numbers[::stride].unbind(1):
        present = column[~column.isnan()].double()
        values = torch.quantile(present, at).float().unique() if len(present) else torch.empty(0)
        edges.append(values if len(values) > 1 else torch.empty(0))
    return edges


class PiecewiseLinear(nn.Module):
    """All pieces of all columns side by side, with no parameters of its own.

    Args:
        edges: for each column its ascending edges (T + 1 of them for T pieces), or an empty tensor.

    Shapes: (batch, column) -> (batch, pieces), values in [0, 1].

    Example:
        >>> PiecewiseLinear([torch.tensor([0.0, 1.0, 3.0])])(torch.tensor([[2.0]]))
        tensor([[1.0000, 0.5000]])
    """

    lower: Tensor
    rate: Tensor
    column: Tensor

    def __init__(self, edges: Sequence[Tensor]) -> None:
        super().__init__()
        pieces = [max(len(edge) - 1, 0) for edge in edges]
        lower = torch.cat([edge[:-1] for edge in edges]) if edges else torch.empty(0)
        width = torch.cat([edge.diff() for edge in edges]) if edges else torch.empty(0)
        self.register_buffer("lower", lower)
        self.register_buffer("rate", 1.0 / width)
        self.register_buffer("column", torch.repeat_interleave(torch.arange(len(edges)), torch.tensor(pieces).long()))
        self.pieces = tuple(pieces)

    @override
    def forward(self, numbers: Float[Tensor, "batch column"]) -> Float[Tensor, "batch piece"]:
        return ((numbers.index_select(1, self.column) - self.lower) * self.rate).clamp_(0.0, 1.0)


class Categories(nn.Module):
    """One learned vector for each level of each category column, and for each member of an ensemble.

    Args:
        levels: number of codes of each column, code 0 (missing or unseen) included.
        dimension: length of the vector.
        members: networks in the ensemble, or None.

    Shapes: codes (batch, column) -> (batch, column·dimension), with members (member, batch, column·dimension).
    """

    offset: Tensor

    def __init__(self, levels: Sequence[int], dimension: int, *, members: int | None = None) -> None:
        super().__init__()
        self.levels, self.dimension, self.members = tuple(levels), dimension, members
        starts = torch.tensor([0, *levels[:-1]]).cumsum(0) if levels else torch.empty(0, dtype=torch.int64)
        self.register_buffer("offset", starts)
        self.vectors = nn.Embedding(sum(levels), dimension * (members or 1))
        nn.init.normal_(self.vectors.weight)

    @property
    def outputs(self) -> int:
        """Number of units that one example becomes."""
        return len(self.levels) * self.dimension

    @override
    def forward(self, codes: Int[Tensor, "batch column"]) -> Float[Tensor, "*lead batch unit"]:
        values = self.vectors(codes + self.offset)  # (batch, column) -> (batch, column, member · dimension)
        if self.members is None:
            return values.flatten(1)
        batch, columns, _ = values.shape
        apart = values.view(batch, columns, self.members, self.dimension)
        return apart.permute(2, 0, 1, 3).reshape(self.members, batch, columns * self.dimension)
