"""Recurrent layers of torch with initial weights that remember, and the block that sets one beside the identity.

    rnn    h_t = phi(W x_t + U h_{t-1} + b)
    gru    h_t = (1 - z) n + z h_{t-1},   z = sigmoid(... + b_z),   n = tanh(W x_t + r (U h_{t-1}) + b)
    lstm   c_t = f c_{t-1} + i n,         f = sigmoid(... + b_f),   h_t = o tanh(c_t)
    block  h = h + w · drop(layer(norm(h))),   w: one number for each unit, at first the same for all

First weights: W ~ N(0, 1 / fan_in); each U orthogonal (Saxe et al. 2014, arXiv:1312.6120); b = 0 but for the gates.
Without a span b_z = b_f = 1: the gates start open (Jozefowicz et al. 2015). For a memory of T steps
b_z, b_f ~ ln U(1, T - 1) and b_i = -b_f: a gate of b forgets at the pace 1 / (1 + exp b), so the units remember 1 to T
steps (Tallec and Ollivier 2018, arXiv:1804.11188). The first w is such that all branches of a net together add about as
much as came in, or less (Touvron et al. 2021, arXiv:2103.17239).

Where examples are of unequal length the steps are packed: padding is never computed, and the backward direction begins
at each example's own last step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence
from typing_extensions import override

from evenkeel.errors import RequestError
from evenkeel.nets.blocks import check_choice
from evenkeel.nets.step_norm import StepNorm

Cell = Literal["gru", "lstm", "rnn"]
ReadingDirection = Literal["past", "both"]
CELLS: dict[str, Callable[..., nn.RNNBase]] = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}
# Order of the gates in torch's stacked weights; `keep`, f of an LSTM and z of a GRU, decides what stays of the past.
GATES = {"gru": ("reset", "keep", "new"), "lstm": ("admit", "keep", "new", "expose"), "rnn": ("new",)}
OPEN = 1.0  # bias of an open gate: sigmoid(1) = .73 of the past stays at each step instead of a half


def recurrent_layer(
    cell: Cell, width: int, *, activation: str = "tanh", direction: ReadingDirection = "past", span: int | None = None
) -> nn.RNNBase:
    """One recurrent layer of `width` units, which both directions share evenly.

    Args:
        cell: gru, lstm or rnn.
        width: units that come in, and go out at each step.
        activation: of an rnn: tanh or relu.
        direction: `past` or `both`.
        span: steps to remember, at least 3, or None.

    Shapes: (batch, step, width) -> (batch, step, width), and the state after the last step.

    Raises:
        RequestError: a cell or activation that does not exist, a span where there are no gates, an odd width to share.

    Example:
        >>> recurrent_layer("lstm", 8, direction="both")(torch.zeros(2, 5, 8))[0].shape
        torch.Size([2, 5, 8])
    """
    _check(cell, width, activation, direction, span)
    options = {"nonlinearity": activation} if cell == "rnn" else {}
    both = direction == "both"
    layer = CELLS[cell](width, width // (1 + both), batch_first=True, bidirectional=both, **options)
    with torch.no_grad():
        for weights in layer.all_weights:
            _draw_(weights, cell, span)
    return layer


def _draw_(weights: Sequence[Tensor], cell: str, span: int | None) -> None:
    """Weights and biases of one direction, gate by gate; of torch's two biases only the first is used."""
    inward, recurrent, bias, second = weights
    inward.normal_(std=1 / math.sqrt(inward.shape[1]))
    for block in recurrent.chunk(len(GATES[cell])):
        # For ReLU too: sqrt(2) times as much would keep the gradient, but the offset that adds up over the steps then
        # drowns what tells examples apart (similarity .95 at 32 layers).
        nn.init.orthogonal_(block)
    bias.zero_()
    second.zero_()
    gates = dict(zip(GATES[cell], bias.chunk(len(GATES[cell])), strict=True))
    if "keep" not in gates:
        return
    if span is None:
        gates["keep"].fill_(OPEN)
        return
    gates["keep"].uniform_(1, span - 1).log_()
    if "admit" in gates:
        gates["admit"].copy_(-gates["keep"])


def _check(cell: str, width: int, activation: str, direction: str, span: int | None) -> None:
    """Refuse options that do not exist or do not fit together."""
    check_choice("cell", cell, tuple(CELLS))
    check_choice("direction", direction, ("past", "both"))
    check_choice("activation", activation, ("tanh", "relu"))
    if activation != "tanh" and cell != "rnn":
        raise RequestError(f"the gates of a {cell} are made for tanh, got activation={activation!r}; try cell='rnn'")
    if span is not None and cell == "rnn":
        raise RequestError("a span opens the gates that keep the past, and an rnn has none; try cell='gru' or 'lstm'")
    if span is not None and span < 3:
        raise RequestError(f"a span is a number of steps from 3 on, got span={span}; or leave it out")
    if direction == "both" and width % 2:
        raise RequestError(f"both directions share the width evenly, got width={width}; try an even one")


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
        direction: ReadingDirection = "past",
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
