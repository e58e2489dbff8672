"""Recurrent layers of torch with initial weights that remember: orthogonal over time, the gates open.

    rnn    h_t = phi(W x_t + U h_{t-1} + b)
    gru    h_t = (1 - z) n + z h_{t-1},   z = sigmoid(... + b_z),   n = tanh(W x_t + r (U h_{t-1}) + b)
    lstm   c_t = f c_{t-1} + i n,         f = sigmoid(... + b_f),   h_t = o tanh(c_t)

Each U starts orthogonal. Without a span b_z = b_f = 1. For a memory of T steps b_z, b_f ~ ln U(1, T - 1) and
b_i = -b_f: a gate of b forgets at the pace 1 / (1 + exp b), so the units remember 1 to T steps.
Source: Saxe et al. 2014, arXiv:1312.6120 (orthogonal); Jozefowicz et al. 2015 (forget gates open);
Tallec and Ollivier 2018, arXiv:1804.11188 (chrono initialisation)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from evenkeel.errors import RequestError
from evenkeel.nets.blocks import check_choice

Cell = Literal["gru", "lstm", "rnn"]
Direction = Literal["past", "both"]
CELLS: dict[str, Callable[..., nn.RNNBase]] = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}
# Order of the gates in torch's stacked weights; `keep`, f of an LSTM and z of a GRU, decides what stays of the past.
GATES = {"gru": ("reset", "keep", "new"), "lstm": ("admit", "keep", "new", "expose"), "rnn": ("new",)}
OPEN = 1.0  # bias of an open gate: sigmoid(1) = .73 of the past stays at each step instead of a half


def recurrent_layer(
    cell: Cell, width: int, *, activation: str = "tanh", direction: Direction = "past", span: int | None = None
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
