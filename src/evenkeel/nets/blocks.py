"""What every net is made of: activations with their initialisation, named sizes, and norms of table rows.

An *ensemble* of `members` networks is one batched network: the member axis comes first (see `evenkeel.linear`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.errors import RequestError
from evenkeel.shapes import Float, Tensor

Weighted = TypeVar("Weighted", nn.Linear, nn.Conv2d)
GROUPS = 8  # of a group norm; the usual 32 leaves too few units in a group of a narrow layer

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "leaky_relu": functional.leaky_relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "selu": functional.selu,
    "elu": functional.elu,
    "gelu": functional.gelu,
    "silu": functional.silu,
}


def activation_named(name: str) -> Callable[[Tensor], Tensor]:
    """The elementwise function of that name."""
    if name not in ACTIVATIONS:
        raise RequestError(f"no activation is called {name!r}; there are: {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


def matched_variance(activation: str) -> float:
    """The s of W ~ (0, s/fan_in) with s·E[phi'(z)²] = 1 for z ~ N(0, 1): the gradient keeps its size on the way back.

    2 for ReLU (He et al. 2015, arXiv:1502.01852); for the others by quadrature of their own derivative
    (Poole et al. 2016, arXiv:1606.05340, equation 8).
    """
    # Over ±8 standard deviations the trapezoid rule errs by less than 1e-6. An even number of points: the kink of a
    # ReLU then lies halfway between two of them, not on one.
    with torch.enable_grad():
        z = torch.linspace(-8, 8, 4000, dtype=torch.float64, requires_grad=True)
        slope = torch.autograd.grad(activation_named(activation)(z).sum(), z)[0]
    density = torch.exp(-(z.detach() ** 2) / 2) / math.sqrt(2 * math.pi)
    return float(1.0 / torch.trapezoid(density * slope**2, z.detach()))


def draw_(layer: Weighted, variance: float = 1.0) -> Weighted:
    """The same layer with W ~ N(0, variance/fan_in) and b = 0; a convolution's fan_in is that of one group.

    Example:
        >>> draw_(nn.Linear(3, 2)).bias.tolist()
        [0.0, 0.0]
    """
    nn.init.normal_(layer.weight, std=math.sqrt(variance / layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How large a net is: units of its (first) layers, and blocks."""

    width: int
    depth: int


def extent_of(sizes: Mapping[str, Extent], size: str, width: int | None, depth: int | None) -> Extent:
    """The size of that name, with a width or depth that is set by number in its place.

    Raises:
        RequestError: a size that does not exist, or a width or depth below 1.
    """
    if size not in sizes:
        raise RequestError(f"no size is called {size!r}; there are: {', '.join(sizes)}; or give width= and depth=")
    named = sizes[size]
    extent = Extent(
        width=named.width if width is None else width,
        depth=named.depth if depth is None else depth,
    )
    if extent.width < 1 or extent.depth < 1:
        raise RequestError(
            f"a net needs at least one unit and one block; got width={extent.width}, depth={extent.depth}"
        )
    return extent


def check_choice(name: str, chosen: object, known: tuple[object, ...]) -> None:
    """Refuse an option that is none of those there are."""
    if chosen not in known:
        raise RequestError(f"{name} must be one of {', '.join(map(repr, known))}; got {chosen!r}")


def check_dropout(dropout: float) -> None:
    """Refuse a share of silenced units that leaves none."""
    if not 0.0 <= dropout < 1.0:
        raise RequestError(f"dropout must be in [0, 1), got {dropout:g}")


class UnitNorm(nn.Module):
    """Layer, batch or group norm over the units of (batch, unit) or (member, batch, unit), each member with its own.

    *Layer*: all units of one example. *Group*: groups of units of one example. *Batch*: each unit over the batch while
    training, by its moving averages when predicting. *Instance* norm does not fit: a row has no axis besides units.
    """

    def __init__(self, kind: str, units: int, *, members: int | None = None) -> None:
        super().__init__()
        self.kind, self.units, self.members = kind, units, members
        if kind == "instance":
            raise RequestError("instance norm needs an axis to normalise over, a table row has none; try norm='layer'")
        if kind not in ("layer", "batch", "group"):
            raise RequestError(f"no norm is called {kind!r}; there are: layer, batch, group")
        if kind == "group" and units % GROUPS:
            raise RequestError(f"group norm needs a width that is a multiple of {GROUPS}, got {units}")
        if kind == "batch":
            self.batch = nn.BatchNorm1d(units * (members or 1))
            return
        shape = (units,) if members is None else (members, 1, units)
        self.weight = nn.Parameter(torch.ones(shape))
        self.bias = nn.Parameter(torch.zeros(shape))

    @override
    def forward(self, x: Float[Tensor, "*lead unit"]) -> Float[Tensor, "*lead unit"]:
        if self.kind == "batch":
            if x.dim() == 2:
                return self.batch(x)
            members, batch, units = x.shape
            flat = x.transpose(0, 1).reshape(batch, members * units)  # (member, batch, unit) -> (batch, member · unit)
            return self.batch(flat).view(batch, members, units).transpose(0, 1)
        if self.kind == "layer":
            if self.members is None:
                return functional.layer_norm(x, (self.units,), self.weight, self.bias)
            return torch.addcmul(self.bias, functional.layer_norm(x, (self.units,)), self.weight)
        flat = functional.group_norm(x.reshape(-1, self.units), GROUPS)
        return torch.addcmul(self.bias, flat.view(x.shape), self.weight)


def shared_heads(width: int, chosen: int | None, usual: int) -> int:
    """The number of attention heads that share the width evenly: as chosen, or of the usual number of units each."""
    heads = max(1, width // usual) if chosen is None else chosen
    if heads < 1 or width % heads:
        raise RequestError(
            f"the heads share the width evenly: width={width} does not divide by attention_heads={heads}; "
            f"try a width that is a multiple of {usual}, or another number of heads"
        )
    return heads
