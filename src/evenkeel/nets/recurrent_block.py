"""A recurrent layer beside the identity, over steps that are padded or packed.

    h = h + w · drop(cell(norm(h))),   w: one number for each unit, at first the same for all

The first w is such that all branches of a net together add about as much as came in, or less. Where examples are of
unequal length the steps are packed: padding is never computed, and the backward direction begins at each example's own
last step. Source: He et al. 2016, arXiv:1603.05027; Touvron et al. 2021, arXiv:2103.17239 (w)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence
from typing_extensions import override

from evenkeel.nets.recurrent_cell import Cell, Direction, recurrent_layer
from evenkeel.nets.step_norm import StepNorm

Steps = Tensor | PackedSequence  # (batch, step, unit), or the real steps alone


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    """What a one-way net keeps of the steps that it has read: all it needs to read on."""

    hidden: Tensor
    """h after the last step, (layer, batch, unit)."""
    cell: Tensor | None
    """c of an LSTM, likewise."""
    steps: int
    """How many were read."""

    @property
    def batch(self) -> int:
        """Number of examples read side by side."""
        return self.hidden.shape[1]

    def layer(self, number: int) -> Tensor | tuple[Tensor, Tensor]:
        """The state of one layer as torch takes it."""
        hidden = self.hidden[number : number + 1]
        return hidden if self.cell is None else (hidden, self.cell[number : number + 1])


def state_after(layers: list[Tensor | tuple[Tensor, Tensor]], steps: int) -> State:
    """What all layers together remember, from what torch gives for each."""
    hidden = torch.cat([each if isinstance(each, Tensor) else each[0] for each in layers])
    cells = [each[1] for each in layers if not isinstance(each, Tensor)]
    return State(hidden=hidden, cell=torch.cat(cells) if cells else None, steps=steps)


class RecurrentBlock(nn.Module):
    """Norm, recurrent layer and dropout beside the identity.

    Args:
        width: units at each step.
        cell: gru, lstm or rnn.
        activation: of an rnn: tanh or relu.
        direction: `past` or `both`.
        norm: layer, rms or None.
        dropout: share of the layer's units silenced while training.
        span: steps to remember, or None.
        share: square of the first w.

    Shapes: hidden (batch, step, unit) or packed -> the same, and the layer's state after the last step.

    Example:
        >>> block = RecurrentBlock(8, "gru", share=1.0)
        >>> hidden, state = block(torch.zeros(2, 5, 8))
        >>> hidden.shape, state.shape
        (torch.Size([2, 5, 8]), torch.Size([1, 2, 8]))
    """

    def __init__(
        self,
        width: int,
        cell: Cell,
        *,
        activation: str = "tanh",
        direction: Direction = "past",
        norm: str | None = "layer",
        dropout: float = 0.0,
        span: int | None = None,
        share: float = 1.0,
    ) -> None:
        super().__init__()
        self.norm = None if norm is None else StepNorm(norm, width)
        self.cell = recurrent_layer(cell, width, activation=activation, direction=direction, span=span)
        self.scale = nn.Parameter(torch.full((width,), math.sqrt(share)))
        self.dropout = dropout

    @override
    def forward(
        self, hidden: Steps, state: Tensor | tuple[Tensor, Tensor] | None = None
    ) -> tuple[Steps, Tensor | tuple[Tensor, Tensor]]:
        before = data_of(hidden)
        normed = before if self.norm is None else self.norm(before)
        branch, end = self.cell(with_data(hidden, normed), state)
        added = functional.dropout(data_of(branch), self.dropout, self.training)
        return with_data(hidden, before + added * self.scale), end


def data_of(steps: Steps) -> Tensor:
    """All numbers, packed (real step, unit) or not (batch, step, unit)."""
    return steps.data if isinstance(steps, PackedSequence) else steps


def with_data(steps: Steps, data: Tensor) -> Steps:
    """Pack other numbers in the same order of examples and steps."""
    return steps._replace(data=data) if isinstance(steps, PackedSequence) else data
