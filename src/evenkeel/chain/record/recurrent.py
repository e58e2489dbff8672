"""The chain over time inside a recurrent layer, by unrolling it step by step with the same weights.

    s_t = cell(x_t, s_{t-1}),   s = h (RNN, GRU) or (h, c) jointly (LSTM)

    step gain   ||(ds_t/ds_{t-1})ᵀ g_t|| / ||g_t||     g_t: the loss's whole gradient at s_t
    memory      ||(ds_T/ds_{T-k})ᵀ u|| / ||u||         u: the loss's gradient at the last step alone, k steps back

Stacked layers, both directions and packed sequences (each example's own last step counts); dropout between layers is
left out. Norms run over the batch, over those examples that are that long.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from evenkeel.chain.record.batch import tensors_in
from evenkeel.chain.record.statistics import wide

FORGOTTEN = 1e-3
"""A step whose gradient has shrunk below this share counts as forgotten."""


@dataclass(frozen=True, kw_only=True)
class Direction:
    """One layer in one direction over time."""

    name: str
    step_gains: tuple[float, ...]
    """From each step to the one before it, in the order of processing: entry 0 is from the second step to the first."""
    memory: tuple[float, ...]
    """Gain from the last step back to the step k earlier; entry 0 is 1."""

    @property
    def gain(self) -> float:
        """The geometric mean of the step gains."""
        logs = [math.log(max(gain, 1e-300)) for gain in self.step_gains]
        return math.exp(sum(logs) / len(logs)) if logs else 1.0

    @property
    def span(self) -> int | None:
        """Steps back until the gradient is forgotten (below `FORGOTTEN`); None if that lies beyond this batch."""
        return next((lag for lag, value in enumerate(self.memory) if value < FORGOTTEN), None)


@dataclass(frozen=True, kw_only=True)
class Unrolled:
    """The chain over time of one recurrent layer: each of its layers and directions, from the input upwards."""

    directions: tuple[Direction, ...]

    @property
    def gain(self) -> float:
        """The gain per step of the direction that forgets fastest."""
        return min(direction.gain for direction in self.directions)


@dataclass(kw_only=True)
class _Tape:
    """One direction's forward pass: the leaves and results of each step, in the order of processing."""

    name: str
    forwards: bool
    times: list[int]
    inputs: list[Tensor]
    before: list[tuple[Tensor, ...]]
    after: list[tuple[Tensor, ...]]
    outputs: Tensor


class _Lag(NamedTuple):
    """At one time: each example's gradient from its last step, whether it is that long, how many steps back that is."""

    norms: Tensor
    active: Tensor
    lag: Tensor


@dataclass(frozen=True, kw_only=True)
class _Sequences:
    """A padded batch (step, batch, unit) with each example's length, and the gradients that come from outside."""

    values: Tensor
    lengths: Tensor
    output_gradient: Tensor | None
    state_gradients: tuple[Tensor | None, ...]
    initial: tuple[Tensor, ...] | None


def unroll(
    layer: nn.RNNBase, arguments: Sequence[Any], output: Any, gradients: Sequence[Tensor | None]
) -> Unrolled | None:
    """Unroll one call of a recurrent layer; `gradients` are those of the tensors in its output, in order."""
    sequences = _sequences(layer, arguments, output, gradients)
    if sequences is None:
        return None
    with torch.enable_grad():
        tapes: list[list[_Tape]] = []
        values = sequences.values
        for number in range(layer.num_layers):
            tapes.append([_forward(layer, number, way, values, sequences) for way in range(1 + layer.bidirectional)])
            values = torch.cat([tape.outputs for tape in tapes[-1]], dim=-1).detach()
        return Unrolled(directions=tuple(_backward_all(layer, tapes, sequences)))


def cell_step(
    mode: str, value: Tensor, state: tuple[Tensor, ...], weights: Sequence[Tensor], *, bias: bool, projected: bool
) -> tuple[Tensor, ...]:
    """One step of torch's own equations: RNN_TANH, RNN_RELU, GRU or LSTM (with projection), from its flat weights."""
    hidden = state[0]
    input_bias, hidden_bias = (weights[2], weights[3]) if bias else (None, None)
    from_input = nn.functional.linear(value, weights[0], input_bias)
    from_hidden = nn.functional.linear(hidden, weights[1], hidden_bias)
    if mode == "LSTM":
        admit, forget, candidate, expose = (from_input + from_hidden).chunk(4, dim=-1)
        cell = forget.sigmoid() * state[1] + admit.sigmoid() * candidate.tanh()
        shown = expose.sigmoid() * cell.tanh()
        return (nn.functional.linear(shown, weights[-1]) if projected else shown, cell)
    if mode == "GRU":
        (reset_in, update_in, new_in), (reset_h, update_h, new_h) = from_input.chunk(3, -1), from_hidden.chunk(3, -1)
        reset, update = (reset_in + reset_h).sigmoid(), (update_in + update_h).sigmoid()
        new = (new_in + reset * new_h).tanh()
        return ((1 - update) * new + update * hidden,)
    total = from_input + from_hidden
    return (total.relu() if mode == "RNN_RELU" else total.tanh(),)


def _forward(layer: nn.RNNBase, number: int, way: int, values: Tensor, sequences: _Sequences) -> _Tape:
    steps, batch = values.shape[:2]
    times = list(range(steps))[:: -1 if way else 1]
    weights = [weight.detach() for weight in layer.all_weights[number * (1 + layer.bidirectional) + way]]
    tape = _Tape(
        name=f"layer {number}" + (" reverse" if way else ""),
        forwards=not way,
        times=times,
        inputs=[],
        before=[],
        after=[],
        outputs=values.new_zeros(steps, batch, weights[1].shape[1]),
    )
    sizes = [weights[1].shape[1], *([layer.hidden_size] if layer.mode == "LSTM" else [])]
    state = _initial(number * (1 + layer.bidirectional) + way, sizes, batch, sequences)
    projected = getattr(layer, "proj_size", 0) > 0
    for time in times:
        value = values[time].detach().requires_grad_()
        before = tuple(part.detach().requires_grad_() for part in state)
        active = (time < sequences.lengths)[:, None]
        stepped = cell_step(layer.mode, value, before, weights, bias=layer.bias, projected=projected)
        state = tuple(torch.where(active, new, old) for new, old in zip(stepped, before, strict=True))
        tape.inputs.append(value)
        tape.before.append(before)
        tape.after.append(state)
        tape.outputs[time] = torch.where(active, state[0], torch.zeros_like(state[0])).detach()
    return tape


def _backward_all(layer: nn.RNNBase, tapes: list[list[_Tape]], sequences: _Sequences) -> list[Direction]:
    """From the top layer down: each layer's input gradient is the one below's output gradient."""
    directions: list[Direction] = []
    incoming = sequences.output_gradient
    for number in reversed(range(len(tapes))):
        ways = tapes[number]
        parts = [None] * len(ways) if incoming is None else list(incoming.chunk(len(ways), dim=-1))
        down = torch.zeros_like(torch.stack(ways[0].inputs))
        for way in reversed(range(len(ways))):
            states = tuple(
                None if gradient is None else gradient[number * len(ways) + way]
                for gradient in sequences.state_gradients
            )
            direction = _backward(ways[way], parts[way], states, sequences.lengths, down)
            directions.insert(0, direction)
        incoming = down
    return directions


def _backward(
    tape: _Tape, outputs: Tensor | None, states: tuple[Tensor | None, ...], lengths: Tensor, down: Tensor
) -> Direction:
    """Walk one direction back in time, twice at once: with all gradients, and with the last step's alone."""
    last = tape.after[-1]
    padded = [*states, *[None] * (len(last) - len(states))]
    whole = tuple(torch.zeros_like(part) if g is None else g for part, g in zip(last, padded, strict=True))
    alone = tuple(torch.zeros_like(part) for part in last)
    gains: list[float] = []
    seen: list[_Lag] = []
    for position in reversed(range(len(tape.times))):
        time = tape.times[position]
        lag = lengths - 1 - time if tape.forwards else torch.full_like(lengths, time)
        active = time < lengths
        if outputs is not None:
            whole = (whole[0] + outputs[time], *whole[1:])
        alone = tuple(torch.where((lag == 0)[:, None], s, a) for s, a in zip(_seed(whole), alone, strict=True))
        seen.append(_Lag(_row_norms(alone), active, lag))
        above = _total(whole, active)
        whole, alone = _step_back(tape, position, whole, alone, down[time])
        if position > 0:
            gains.append(_total(whole, active) / above if above > 0 else 0.0)
    return Direction(name=tape.name, step_gains=tuple(reversed(gains)), memory=_memory(seen))


def _step_back(
    tape: _Tape, position: int, whole: tuple[Tensor, ...], alone: tuple[Tensor, ...], down: Tensor
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    after, before = tape.after[position], tape.before[position]
    towards, *previous = _pulled(after, (tape.inputs[position], *before), whole)
    down += towards
    return tuple(previous), _pulled(after, before, alone)


def _pulled(outputs: tuple[Tensor, ...], inputs: tuple[Tensor, ...], along: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The vector-Jacobian product, as the gradient of a number: torch takes half a second to import the other way."""
    number = torch.stack([(one * direction).sum() for one, direction in zip(outputs, along, strict=True)]).sum()
    return torch.autograd.grad(number, inputs, retain_graph=True, allow_unused=True, materialize_grads=True)


def _seed(gradient: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The last step's own gradient; for an example that has none there, the same amount at every unit of h."""
    silent = _row_norms(gradient) == 0
    return (torch.where(silent[:, None], torch.ones_like(gradient[0]), gradient[0]), *gradient[1:])


def _memory(seen: list[_Lag]) -> tuple[float, ...]:
    """Norm by lag, over the examples that are that long, relative to lag 0 of the same examples."""
    norms = torch.stack([entry.norms for entry in seen]).double()
    lag = torch.where(torch.stack([entry.active for entry in seen]), torch.stack([entry.lag for entry in seen]), -1)
    start = (norms * (lag == 0)).sum(0)
    memory: list[float] = []
    for back in range(int(lag.max()) + 1):
        here = lag == back
        now, then = (norms * here).sum(0), start * here.any(0)
        memory.append(float(torch.linalg.vector_norm(now) / torch.linalg.vector_norm(then)))
    return tuple(memory)


def _row_norms(state: tuple[Tensor, ...]) -> Tensor:
    """One norm an example, over all parts of the state together."""
    whole = torch.cat(state, dim=-1).detach()
    return torch.linalg.vector_norm(whole, dim=-1, dtype=wide(whole))


def _total(state: tuple[Tensor, ...], active: Tensor) -> float:
    return float(torch.linalg.vector_norm(_row_norms(state) * active))


def _initial(way: int, sizes: Sequence[int], batch: int, sequences: _Sequences) -> tuple[Tensor, ...]:
    first = sequences.initial
    zeros = (sequences.values.new_zeros(batch, size) for size in sizes)
    return tuple(zeros) if first is None else tuple(part[way] for part in first)


def _sequences(
    layer: nn.RNNBase, arguments: Sequence[Any], output: Any, gradients: Sequence[Tensor | None]
) -> _Sequences | None:
    """Everything of a call as padded (step, batch, unit); None where no gradient came by."""
    if all(gradient is None for gradient in gradients) or not arguments:
        return None
    known = {id(tensor): gradient for tensor, gradient in zip(tensors_in(output), gradients, strict=True)}
    features, states = output
    ends = states if isinstance(states, tuple) else (states,)
    values, lengths = _padded(layer, arguments[0])
    if isinstance(features, PackedSequence):
        data = known[id(features.data)]
        packed = None if data is None else features._replace(data=data)
        outputs = None if packed is None else pad_packed_sequence(packed)[0]
    else:
        gradient = known[id(features)]
        outputs = None if gradient is None else _padded(layer, gradient)[0]
    kind = layer.all_weights[0][0].dtype
    initial = arguments[1] if len(arguments) > 1 else None
    first = None if initial is None else (initial if isinstance(initial, tuple) else (initial,))
    return _Sequences(
        values=values.to(kind),
        lengths=lengths,
        output_gradient=None if outputs is None else outputs.to(kind),
        state_gradients=tuple(_states(known[id(end)], kind) for end in ends),
        initial=None if first is None else tuple(_states(part.detach(), kind) for part in first),
    )


def _padded(layer: nn.RNNBase, value: Tensor | PackedSequence) -> tuple[Tensor, Tensor]:
    if isinstance(value, PackedSequence):
        padded, lengths = pad_packed_sequence(value)
        return padded.detach(), lengths.to(padded.device)
    plain = value.detach()
    plain = plain.unsqueeze(1) if plain.ndim == 2 else plain.transpose(0, 1) if layer.batch_first else plain
    return plain, torch.full((plain.shape[1],), plain.shape[0], device=plain.device)


def _states(value: Any, kind: torch.dtype) -> Any:
    if value is None:
        return None
    return (value.unsqueeze(1) if value.ndim == 2 else value).to(kind)
