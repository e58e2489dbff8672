import math

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from _unchecked import unchecked
from evenkeel.errors import RequestError
from evenkeel.nets.recurrent_layers import (
    CELLS,
    RecurrentBlock,
    State,
    data_of,
    recurrent_layer,
    state_after,
    with_data,
)

every_cell = pytest.mark.parametrize("cell", CELLS)
WIDTH = 64


def gates(layer, part):
    """The parts of a stacked weight of the first direction."""
    tensor = dict(zip(("inward", "recurrent", "bias", "second"), layer.all_weights[0], strict=True))[part]
    return tensor.detach().split(layer.hidden_size)


def reached(layer, steps=100):
    """Share of the gradient at the last of so many steps that is left at the first."""
    values = torch.randn(16, steps, layer.input_size)
    states, state = [], None
    for value in values.unbind(1):
        _, state = layer(value.unsqueeze(1), state)
        states.append(state if isinstance(state, tuple) else (state,))
        for part in states[-1]:
            part.retain_grad()
    torch.cat(states[-1]).square().sum().backward()
    first, last = (torch.cat([part.grad.flatten() for part in states[at]]).norm() for at in (0, -1))
    return (first / last).item()


@every_cell
@pytest.mark.parametrize("direction", ["past", "both"])
def test_every_gate_is_orthogonal_over_time_and_keeps_the_size_of_its_input(cell, direction):
    layer = recurrent_layer(cell, WIDTH, direction=direction)
    units = WIDTH if direction == "past" else WIDTH // 2
    assert layer.hidden_size == units and layer(torch.zeros(2, 3, WIDTH))[0].shape == (2, 3, WIDTH)
    for way in layer.all_weights:
        for gate in way[1].detach().split(units):
            torch.testing.assert_close(gate @ gate.T, torch.eye(units), atol=1e-5, rtol=0)
        assert way[0].square().sum(1).mean().item() == pytest.approx(1.0, rel=0.1)


def test_what_keeps_the_past_is_open_and_no_other_bias_is_set():
    lstm, gru, rnn = (recurrent_layer(cell, WIDTH) for cell in ("lstm", "gru", "rnn"))
    assert [gate.unique().tolist() for gate in gates(lstm, "bias")] == [[0.0], [1.0], [0.0], [0.0]]
    assert [gate.unique().tolist() for gate in gates(gru, "bias")] == [[0.0], [1.0], [0.0]]
    assert [gate.unique().tolist() for gate in gates(rnn, "bias")] == [[0.0]]
    assert not any(gate.any() for layer in (lstm, gru, rnn) for gate in gates(layer, "second"))


@pytest.mark.parametrize("cell, keep", [("lstm", 1), ("gru", 1)])
def test_the_gate_so_opened_is_the_one_that_keeps_the_past(cell, keep):
    """By the layer's own doing: with that gate wide open and the one that admits shut, a state stays as it is."""
    layer = recurrent_layer(cell, 8)
    with torch.no_grad():
        gates(layer, "bias")[keep].fill_(30.0)
        gates(layer, "bias")[0].fill_(-30.0)
    hidden = torch.randn(1, 2, 8)
    given = (hidden, torch.randn(1, 2, 8)) if cell == "lstm" else hidden
    _, after = layer(torch.randn(2, 20, 8), given)
    kept, expected = (after[1], given[1]) if cell == "lstm" else (after, given)
    torch.testing.assert_close(kept, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("span", [3, 10, 1000])
def test_a_span_draws_the_biases_of_the_gates_for_memories_up_to_it(span):
    lstm, gru = recurrent_layer("lstm", 4096 // 8, span=span), recurrent_layer("gru", 4096 // 8, span=span)
    admit, keep, *rest = gates(lstm, "bias")
    assert torch.equal(admit, -keep) and not any(gate.any() for gate in rest)
    for drawn in (keep, gates(gru, "bias")[1]):
        spans = drawn.exp()
        assert spans.min() >= 1 and spans.max() <= span - 1 + 1e-3
        assert spans.mean().item() == pytest.approx(span / 2, rel=0.1)
    both = recurrent_layer("gru", 8, span=span, direction="both")
    assert all(weights[2][4:8].min() >= 0 and weights[2][4:8].any() for weights in both.all_weights)


def test_the_gradient_of_the_first_of_100_steps_is_kept_by_a_span_alone():
    """1e-3 is where a step counts as forgotten; torch's own plain layer forgets within some 13 steps."""
    assert reached(recurrent_layer("lstm", WIDTH, span=100)) > 1e-2
    assert reached(recurrent_layer("gru", WIDTH, span=100)) > 1e-2
    assert reached(recurrent_layer("lstm", WIDTH)) < 1e-3
    assert reached(torch.nn.RNN(WIDTH, WIDTH, batch_first=True)) < 1e-9


def test_it_computes_its_own_equations():
    """Against the formulas of the file's first lines, step by step."""
    values = torch.randn(3, 5, 8)
    for cell, activation in [("rnn", "tanh"), ("rnn", "relu"), ("gru", "tanh"), ("lstm", "tanh")]:
        layer = recurrent_layer(cell, 8, activation=activation)
        inward, recurrent, bias, _ = layer.all_weights[0]
        hidden = kept = torch.zeros(3, 8)
        for value in values.unbind(1):
            given, past = (value @ inward.T + bias).split(8, 1), (hidden @ recurrent.T).split(8, 1)
            if cell == "rnn":
                hidden = getattr(torch, activation)(given[0] + past[0])
            elif cell == "gru":
                reset, keep = (torch.sigmoid(given[at] + past[at]) for at in (0, 1))
                hidden = (1 - keep) * torch.tanh(given[2] + reset * past[2]) + keep * hidden
            else:
                admit, keep, expose = (torch.sigmoid(given[at] + past[at]) for at in (0, 1, 3))
                kept = keep * kept + admit * torch.tanh(given[2] + past[2])
                hidden = expose * torch.tanh(kept)
        torch.testing.assert_close(layer(values)[0][:, -1], hidden)


@pytest.mark.parametrize(
    "cell, options, message",
    [
        ("elman", {}, "cell must be one of 'gru', 'lstm', 'rnn'; got 'elman'"),
        ("gru", {"direction": "future"}, "direction must be one of 'past', 'both'; got 'future'"),
        ("rnn", {"activation": "gelu"}, "activation must be one of 'tanh', 'relu'; got 'gelu'"),
        ("gru", {"activation": "relu"}, "the gates of a gru are made for tanh, got activation='relu'; try cell='rnn'"),
        ("rnn", {"span": 100}, "and an rnn has none; try cell='gru' or 'lstm'"),
        ("gru", {"span": 2}, "from 3 on, got span=2; or leave it out"),
        ("gru", {"width": 7, "direction": "both"}, "share the width evenly, got width=7; try an even one"),
    ],
)
def test_what_makes_no_layer_is_refused(cell, options, message):
    with unchecked(), pytest.raises(RequestError, match=message):
        recurrent_layer(cell, **{"width": 8, **options})


def test_the_pace_of_forgetting_is_that_of_the_bias():
    """A gate of b = ln 9 keeps 9 tenths of its state at each step."""
    layer = recurrent_layer("gru", 8)
    with torch.no_grad():
        for weights in layer.all_weights[0]:
            weights.zero_()
        gates(layer, "bias")[1].fill_(math.log(9))
    _, after = layer(torch.zeros(1, 10, 8), torch.ones(1, 1, 8))
    torch.testing.assert_close(after, torch.full((1, 1, 8), 0.9**10))


LENGTHS = torch.tensor([2, 5, 1])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("norm", ["layer", "rms", None])
def test_it_adds_its_layer_to_what_passes_by(cell, norm):
    block, hidden = RecurrentBlock(8, cell, norm=norm, share=0.25), torch.randn(3, 5, 8)
    normed = hidden if block.norm is None else block.norm(hidden)
    expected = hidden + 0.5 * block.cell(normed)[0]
    torch.testing.assert_close(block(hidden)[0], expected)


@pytest.mark.parametrize("direction", ["past", "both"])
def test_packed_steps_are_those_of_each_example_alone(direction):
    block, hidden = RecurrentBlock(8, "lstm", direction=direction), torch.randn(3, 5, 8)
    packed = pack_padded_sequence(hidden, LENGTHS, batch_first=True, enforce_sorted=False)
    found, _ = block(packed)
    padded = pad_packed_sequence(found, batch_first=True)[0]
    for row, length in enumerate(LENGTHS.tolist()):
        alone, _ = block(hidden[row : row + 1, :length])
        torch.testing.assert_close(padded[row, :length], alone[0])


def test_dropout_silences_units_of_the_layer_and_never_the_identity():
    block, hidden = RecurrentBlock(64, "gru", dropout=0.5), torch.randn(3, 5, 64)
    quiet = block.eval()(hidden)[0] - hidden
    loud = block.train()(hidden)[0] - hidden
    silenced = loud.abs() < 1e-6
    assert 0.4 < silenced.float().mean() < 0.6
    torch.testing.assert_close(loud[~silenced], 2 * quiet[~silenced], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("cell", CELLS)
def test_a_state_is_of_all_layers_and_gives_each_its_own(cell):
    blocks, hidden = [RecurrentBlock(8, cell) for _ in range(3)], torch.randn(2, 4, 8)
    ends = [block(hidden)[1] for block in blocks]
    state = state_after(ends, 4)
    assert isinstance(state, State) and (state.batch, state.steps) == (2, 4)
    assert (state.cell is not None) == (cell == "lstm")
    for number, end in enumerate(ends):
        given = state.layer(number)
        torch.testing.assert_close(given, end)
        torch.testing.assert_close(blocks[number](hidden, given)[0], blocks[number](hidden, end)[0])


def test_numbers_are_exchanged_in_place_of_others():
    hidden = torch.randn(3, 5, 8)
    packed = pack_padded_sequence(hidden, LENGTHS, batch_first=True, enforce_sorted=False)
    assert data_of(hidden) is hidden and data_of(packed).shape == (8, 8)
    doubled = pad_packed_sequence(with_data(packed, 2 * packed.data), batch_first=True)[0]
    assert torch.equal(doubled[1], 2 * hidden[1])
