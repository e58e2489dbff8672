"""A training engine: a callable from a batch to its loss and gradients, and the record that says for whom it is.

    engine(inputs, target, weight) -> loss, gradients       clipping, update and what a step measures are the step's

All engines give the same numbers; they differ in how fast, and in what they ask of a network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import nn

from evenkeel.network import Network
from evenkeel.parts import Part
from evenkeel.shapes import Tensor

LossAndGradients = tuple[Tensor, list[Tensor | None]]
"""A scalar, and one gradient a parameter in the parameters' order; None where a parameter has none."""

Shapes = Literal["fixed", "varying"]
"""Whether all batches of one size are of one shape; they vary where, say, lengths are read."""


Engine = Callable[[Mapping[str, Tensor], Tensor, Tensor | None], LossAndGradients]
"""(inputs by name, target, weight of each example or None) -> loss and gradients of a batch."""


@dataclass(frozen=True, kw_only=True)
class EnginePart(Part):
    """A kind of engine.

    Args:
        call: (network, parameters whose gradients are needed) -> the engine.
        fits: whether it serves such a network, its parameters, and such batches.
        rank: of those that fit, the one with the lowest rank is used.
    """

    call: Callable[[Network, Sequence[nn.Parameter]], Engine]
    fits: Callable[[Network, Sequence[nn.Parameter], Shapes], bool]
    rank: int
