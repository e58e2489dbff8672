"""What every net is made of: linear maps for one network or many at once, activations with their initialisation, norms.

An *ensemble* of `members` networks is one batched network: each weight has a leading member axis and one
`baddbmm` serves all members, so that eight networks cost little more bookkeeping than one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.errors import RequestError
from evenkeel.shapes import Float, Tensor

Activation = Literal["relu", "leaky_relu", "tanh", "sigmoid", "selu", "elu", "gelu", "silu"]
Norm = Literal["layer", "batch", "group"] | None
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
    # 4001 points over ±8 standard deviations: the trapezoid rule is exact here to far below 1e-6.
    with torch.enable_grad():
        z = torch.linspace(-8, 8, 4001, dtype=torch.float64, requires_grad=True)
        slope = torch.autograd.grad(activation_named(activation)(z).sum(), z)[0]
    density = torch.exp(-(z.detach() ** 2) / 2) / math.sqrt(2 * math.pi)
    return float(1.0 / torch.trapezoid(density * slope**2, z.detach()))


class Linear(nn.Module):
    """y = x W + b for one network, or for each member of an ensemble with its own W and b.

    Args:
        inputs: units that come in.
        outputs: units that go out.
        members: networks in the ensemble, or None for a single one.
        variance: s of the initial W ~ N(0, s / inputs); b starts at 0.

    Shapes:
        x (batch, inputs) -> (batch, outputs); with members: (batch, inputs) or (member, batch, inputs)
        -> (member, batch, outputs).

    Example:
        >>> Linear(3, 5, members=4)(torch.zeros(7, 3)).shape
        torch.Size([4, 7, 5])
    """

    def __init__(self, inputs: int, outputs: int, *, members: int | None = None, variance: float = 1.0) -> None:
        super().__init__()
        self.inputs, self.outputs, self.members = inputs, outputs, members
        leading = () if members is None else (members,)
        self.weight = nn.Parameter(torch.randn(*leading, inputs, outputs) * math.sqrt(variance / max(inputs, 1)))
        self.bias = nn.Parameter(torch.zeros(*leading, outputs))

    @override
    def forward(self, x: Float[Tensor, "*lead batch in"]) -> Float[Tensor, "*more batch out"]:
        if self.members is None:
            return torch.addmm(self.bias, x, self.weight) if x.dim() == 2 else x @ self.weight + self.bias
        if x.dim() == 2:
            # One product for all members: (batch, in) x (in, member·out), seen as (member, batch, out).
            flat = self.weight.transpose(0, 1).reshape(self.inputs, self.members * self.outputs)
            product = torch.addmm(self.bias.reshape(-1), x, flat)
            return product.view(len(x), self.members, self.outputs).transpose(0, 1)
        return torch.baddbmm(self.bias.unsqueeze(1), x, self.weight)

    @override
    def extra_repr(self) -> str:
        return f"{self.inputs}, {self.outputs}" + (f", members={self.members}" if self.members else "")


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
            flat = x.transpose(0, 1).reshape(batch, members * units)
            return self.batch(flat).view(batch, members, units).transpose(0, 1)
        if self.kind == "layer":
            if self.members is None:
                return functional.layer_norm(x, (self.units,), self.weight, self.bias)
            return torch.addcmul(self.bias, functional.layer_norm(x, (self.units,)), self.weight)
        flat = functional.group_norm(x.reshape(-1, self.units), GROUPS)
        return torch.addcmul(self.bias, flat.view(x.shape), self.weight)
