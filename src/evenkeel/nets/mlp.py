"""Multilayer perceptron: residual or plain layers, for tables of numbers and categories, one network or an ensemble.

    plain      h = drop(phi(norm(h W + b)))
    residual   h = h + drop(phi(norm(h) W1 + b1)) W2 + b2        a path on which the gradient passes unchanged

Source: He et al. 2016, arXiv:1603.05027 (pre-activation); Gorishniy et al. 2021, arXiv:2106.11959 (the residual form
for tables). Numbers come in scaled, NaN where missing. First weights, W ~ N(0, s / fan_in) and b = 0:

    numbers and categories s = 1, bends s = 0     residual: W1 s = 1, W2 s = matched / depth     plain: s = matched

where `matched` is 1 / E[phi'(z)²], 2 for ReLU: the gradient keeps its size on the way back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.errors import RequestError
from evenkeel.linear import Linear
from evenkeel.nets.base import Net
from evenkeel.nets.blocks import UnitNorm, activation_named, matched_variance
from evenkeel.nets.embed import Categories, PiecewiseLinear
from evenkeel.shapes import Float, Int, Tensor

VECTOR = 8  # length of a category's vector: more did not help on the sets of bench/quality.py


class MLP(nn.Module):
    """Numbers and categories of a row to features.

    Args:
        numbers: number columns.
        levels: number of codes of each category column (code 0: missing or unseen).
        width: units of each hidden layer.
        depth: hidden layers (plain) or blocks of two layers (residual).
        skip: `residual` or `plain`.
        activation: relu, leaky_relu, tanh, sigmoid, selu, elu, gelu, silu.
        norm: layer, batch, group or None.
        dropout: share of hidden units silenced while training, off when predicting.
        members: networks of an in-model ensemble, or None for one network.
        edges: piecewise-linear edges of each number column, or None to feed the numbers alone.
        flagged: number columns whose missing values get a flag of their own.

    Shapes:
        numbers (batch, column) and categories (batch, column) -> (batch, width), or (member, batch, width).

    Raises:
        RequestError: an option that does not exist or does not fit.

    Example:
        >>> MLP(4, levels=(3,), width=16)(torch.zeros(5, 4), torch.zeros(5, 1, dtype=torch.int64)).shape
        torch.Size([5, 16])
    """

    flagged: Tensor

    def __init__(
        self,
        numbers: int,
        *,
        levels: Sequence[int] = (),
        width: int = 256,
        depth: int = 2,
        skip: Literal["residual", "plain"] = "residual",
        activation: str = "relu",
        norm: str | None = None,
        dropout: float = 0.0,
        members: int | None = None,
        edges: Sequence[Tensor] | None = None,
        flagged: Sequence[int] = (),
    ) -> None:
        super().__init__()
        _check(numbers + len(levels), width, depth, skip, dropout, members)
        self.features, self.members = width, members
        self.pieces = PiecewiseLinear(edges) if edges is not None else None
        self.register_buffer("flagged", torch.tensor(flagged, dtype=torch.int64))
        self.categories = Categories(levels, VECTOR, members=members) if levels else None
        shared = numbers + len(flagged)
        self.first = Linear(shared, width, members=members) if shared else None
        pieces = len(self.pieces.lower) if self.pieces else 0
        # The bends start at zero: at first the layer is linear in the numbers, which is the sound beginning.
        self.bends = Linear(pieces, width, members=members, variance=0.0) if pieces else None
        self.vectors = Linear(self.categories.outputs, width, members=members) if self.categories else None
        kind = Residual if skip == "residual" else Plain
        self.blocks = nn.ModuleList(
            kind(width, activation, norm, dropout, members, share=1.0 / depth) for _ in range(depth)
        )
        self.last_norm = UnitNorm(norm, width, members=members) if norm and skip == "residual" else None
        self.activation = activation_named(activation)

    @override
    def forward(
        self,
        numbers: Float[Tensor, "batch column"],
        categories: Int[Tensor, "batch other"] | None = None,
    ) -> Float[Tensor, "*lead batch unit"]:
        present = numbers.nan_to_num(nan=0.0)  # 0 is the median after scaling
        parts = []  # each (batch, unit), or (member, batch, unit)
        if self.first is not None:
            parts.append(self.first(self._with_flags(numbers, present)))  # (batch, column + flag) -> (batch, unit)
        if self.bends is not None and self.pieces is not None:
            parts.append(self.bends(self.pieces(present)))  # (batch, column) -> (batch, piece) -> (batch, unit)
        if self.vectors is not None and self.categories is not None:
            if categories is None:
                raise RequestError("this net was built with category columns (levels=...); pass them as `categories`")
            parts.append(self.vectors(self.categories(categories)))  # (batch, other) -> (batch, unit)
        hidden = parts[0] if len(parts) == 1 else torch.stack(parts).sum(0)
        for block in self.blocks:
            hidden = block(hidden)
        return self.activation(self.last_norm(hidden) if self.last_norm is not None else hidden)

    def _with_flags(self, numbers: Tensor, present: Tensor) -> Tensor:
        """The numbers, and beside them 1 where a flagged column has none."""
        if not len(self.flagged):
            return present
        flags = numbers.index_select(1, self.flagged).isnan().to(present.dtype)
        return torch.cat([present, flags], dim=1)


def _check(columns: int, width: int, depth: int, skip: str, dropout: float, members: int | None) -> None:
    """Refuse sizes below 1 and options that do not exist."""
    if columns < 1 or width < 1 or depth < 1 or (members is not None and members < 1):
        raise RequestError(
            f"an MLP needs at least one column, unit, layer and member; got columns={columns}, width={width}, "
            f"depth={depth}, members={members}"
        )
    if skip not in ("residual", "plain"):
        raise RequestError(f"skip must be 'residual' or 'plain', got {skip!r}")
    if not 0.0 <= dropout < 1.0:
        raise RequestError(f"dropout must be in [0, 1), got {dropout:g}")


class Plain(nn.Module):
    """drop(phi(norm(h))) W + b after a linear entry: a plain stack with the activation before each layer."""

    def __init__(
        self, width: int, activation: str, norm: str | None, dropout: float, members: int | None, *, share: float
    ) -> None:
        super().__init__()
        self.norm = UnitNorm(norm, width, members=members) if norm else None
        self.linear = Linear(width, width, members=members, variance=matched_variance(activation))
        self.activation, self.dropout = activation_named(activation), dropout

    @override
    def forward(self, hidden: Float[Tensor, "*lead unit"]) -> Float[Tensor, "*lead unit"]:
        hidden = self.activation(hidden)
        hidden = self.linear(functional.dropout(hidden, self.dropout, self.training))
        return self.norm(hidden) if self.norm is not None else hidden


class Residual(nn.Module):
    """h + W2 drop(phi(norm(h) W1 + b1)) + b2, the branch scaled so that the sum of all keeps its variance near 1."""

    def __init__(
        self, width: int, activation: str, norm: str | None, dropout: float, members: int | None, *, share: float
    ) -> None:
        super().__init__()
        self.norm = UnitNorm(norm, width, members=members) if norm else None
        self.widen = Linear(width, width, members=members)
        self.narrow = Linear(width, width, members=members, variance=matched_variance(activation) * share)
        self.activation, self.dropout = activation_named(activation), dropout

    @override
    def forward(self, hidden: Float[Tensor, "*lead unit"]) -> Float[Tensor, "*lead unit"]:
        branch = self.norm(hidden) if self.norm is not None else hidden
        branch = functional.dropout(self.activation(self.widen(branch)), self.dropout, self.training)
        return hidden + self.narrow(branch)


MLP_NET = Net(
    name="mlp",
    summary="rows of a table: residual or plain layers, one network or an in-model ensemble",
    source="He et al. 2016, arXiv:1603.05027; Gorishniy et al. 2022, arXiv:2203.05556",
    call=MLP,
    reads=("table",),
)
