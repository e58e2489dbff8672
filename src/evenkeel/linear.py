"""A linear map for one network or for many at once: what both nets and heads are made of.

An *ensemble* of `members` networks is one batched network: each weight has a leading member axis and one
`baddbmm` serves all members, so that eight networks cost little more bookkeeping than one.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from typing_extensions import override

from evenkeel.shapes import Float, Tensor


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
