"""The unrolled chain over time, against torch's own layers and float64 vector-Jacobian products."""

import pytest
import torch
from torch import nn
from torch.func import vjp
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from evenkeel.chain import trace
from evenkeel.chain.record.recurrent import Direction, Unrolled, cell_step

KINDS = {
    "RNN_TANH": (nn.RNN, {}),
    "RNN_RELU": (nn.RNN, {"nonlinearity": "relu"}),
    "GRU": (nn.GRU, {}),
    "LSTM": (nn.LSTM, {}),
}


class Last(nn.Module):
    """A recurrent layer whose last step is read."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.head = nn.Linear(layer.hidden_size * (2 if layer.bidirectional else 1), 3)

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


def steps_of(layer, x, model=None):
    chain = trace((model or Last(layer)).to(x.dtype), lambda output, _: output.square().sum(), (x, None))
    return next(link for link in chain.links if link.kind == "recurrent").steps


def unrolled_states(layer, x):
    """All states of a one-layer, one-direction layer by `cell_step`."""
    weights = [weight.detach() for weight in layer.all_weights[0]]
    state = tuple(x.new_zeros(x.shape[0], layer.hidden_size) for _ in range(2 if layer.mode == "LSTM" else 1))
    states = [state]
    for time in range(x.shape[1]):
        states.append(cell_step(layer.mode, x[:, time], states[-1], weights, bias=layer.bias, projected=False))
    return states, weights


@pytest.mark.parametrize("mode", KINDS)
def test_cell_step_repeats_the_layer(mode):
    kind, options = KINDS[mode]
    layer = kind(5, 6, batch_first=True, **options).double()
    x = torch.randn(3, 7, 5, dtype=torch.float64)
    states, _ = unrolled_states(layer, x)
    assert torch.allclose(torch.stack([state[0] for state in states[1:]], dim=1), layer(x)[0])


@pytest.mark.parametrize("mode", KINDS)
def test_gain_per_step_and_memory_are_jacobian_products(mode):
    kind, options = KINDS[mode]
    layer = kind(5, 6, batch_first=True, **options).double()
    x = torch.randn(3, 7, 5, dtype=torch.float64)
    model = Last(layer).double()
    found = steps_of(layer, x, model).directions[0]
    states, weights = unrolled_states(layer, x)
    above = (model(x) * 2).detach() @ model.head.weight.detach()
    gradient = (above, *(torch.zeros_like(above) for _ in states[0][1:]))
    gains, memory = [], [1.0]
    for time in reversed(range(1, 7)):
        step = lambda *s, time=time: cell_step(layer.mode, x[:, time], s, weights, bias=True, projected=False)  # noqa: E731
        below = vjp(step, *states[time])[1](gradient)
        gains.insert(0, (norm(below) / norm(gradient)).item())
        gradient = below
        memory.append((norm(gradient) / above.norm()).item())
    assert found.step_gains == pytest.approx(gains, rel=1e-9)
    assert found.memory == pytest.approx(memory, rel=1e-9)


def norm(parts):
    return torch.stack([part.square().sum() for part in parts]).sum().sqrt()


@pytest.mark.parametrize("mode", KINDS)
def test_stacked_layers_in_both_directions(mode):
    kind, options = KINDS[mode]
    layer = kind(5, 6, num_layers=2, bidirectional=True, batch_first=True, **options)
    found = steps_of(layer, torch.randn(3, 8, 5))
    names = ["layer 0", "layer 0 reverse", "layer 1", "layer 1 reverse"]
    assert [direction.name for direction in found.directions] == names
    assert all(len(direction.step_gains) == 7 and len(direction.memory) == 8 for direction in found.directions)
    assert found.directions[3].step_gains == (0.0,) * 7  # the last step of the output is its first: no gradient beyond


def test_the_gradient_reaches_a_lower_layer_through_the_upper():
    layer = nn.GRU(5, 6, num_layers=2, batch_first=True).double()
    x = torch.randn(3, 7, 5, dtype=torch.float64)
    model = Last(layer).double()
    found = steps_of(layer, x, model).directions[0]
    first = nn.GRU(5, 6, batch_first=True).double()
    second = nn.GRU(6, 6, batch_first=True).double()
    for name, weight in layer.named_parameters():
        target, own = (first, name) if name.endswith("l0") else (second, name.replace("l1", "l0"))
        target.get_parameter(own).data.copy_(weight.data)
    stack = nn.Sequential()
    stack.first, stack.second, stack.head = first, second, model.head
    stack.forward = lambda x: stack.head(stack.second(stack.first(x)[0])[0][:, -1])
    chain = trace(stack, lambda output, _: output.square().sum(), (x, None))
    below = next(link for link in chain.links if link.name == "first").steps.directions[0]
    assert found.step_gains == pytest.approx(below.step_gains, rel=1e-9)


class Packed(nn.Module):
    """Sequences of different lengths; each example's own last state is read."""

    def __init__(self, layer):
        super().__init__()
        self.layer, self.head = layer, nn.Linear(layer.hidden_size, 2)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, _ = self.layer(packed)
        padded, lengths = pad_packed_sequence(output, batch_first=True)
        return self.head(padded[torch.arange(len(lengths)), lengths - 1])


@pytest.mark.parametrize("mode", KINDS)
def test_packed_sequences_count_from_each_examples_own_last_step(mode):
    kind, options = KINDS[mode]
    model = Packed(kind(5, 6, batch_first=True, **options)).double()
    x, lengths = torch.randn(3, 7, 5, dtype=torch.float64), torch.tensor([4, 7, 2])
    chain = trace(model, lambda output, _: output.square().sum(), ((x, lengths), None))
    packed = next(link for link in chain.links if link.kind == "recurrent").steps.directions[0]
    squares = torch.zeros(7, dtype=torch.float64)
    first = torch.zeros(7, dtype=torch.float64)
    for row, length in enumerate(lengths.tolist()):
        plain = Last(model.layer).double()
        plain.head.load_state_dict({"weight": torch.zeros(3, 6), "bias": torch.zeros(3)})
        plain.head = model.head
        alone = trace(plain, lambda output, _: output.square().sum(), (x[row : row + 1, :length], None))
        size = alone.links[1].contribution
        memory = torch.tensor(alone.links[0].steps.directions[0].memory)
        squares[:length] += (size * memory).square()
        first[:length] += size**2
    assert packed.memory == pytest.approx((squares / first).sqrt().tolist(), rel=1e-6)


def test_default_plain_layer_forgets_in_about_thirteen_steps():
    torch.manual_seed(1)
    spans = [steps_of(nn.RNN(16, 128, batch_first=True), torch.randn(16, 24, 16)).directions[0] for _ in range(3)]
    assert 0.5 < sum(direction.gain for direction in spans) / 3 < 0.6
    assert all(10 <= direction.span <= 16 for direction in spans)


def test_a_forget_bias_lengthens_memory():
    left = []
    for bias in (0.0, 1.0, 2.0):
        layer = nn.LSTM(8, 64, batch_first=True)
        with torch.no_grad():
            layer.bias_ih_l0[64:128] = bias
            layer.bias_hh_l0[64:128] = 0.0
        left.append(steps_of(layer, torch.randn(16, 12, 8)).directions[0].memory[11])
    assert left[0] < 2e-3 < 10 * left[0] < left[1] < 0.3 * left[2]


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_a_projected_lstm_an_initial_state_and_one_sequence_without_a_batch():
    layer = nn.LSTM(5, 8, proj_size=3, batch_first=True)
    projected = nn.Sequential()
    projected.layer = layer
    projected.forward = lambda x: layer(x)[0].sum(dim=1)
    assert len(steps_of(layer, torch.randn(2, 6, 5), projected).directions[0].memory) == 6
    plain = nn.Sequential()
    plain.layer = nn.GRU(5, 4)
    plain.forward = lambda x: plain.layer(x, torch.ones(1, 4))[0][-1]
    assert len(steps_of(plain.layer, torch.randn(6, 5), plain).directions[0].memory) == 6


def test_records_summarise_themselves():
    direction = Direction(name="layer 0", step_gains=(0.25, 1.0), memory=(1.0, 0.5, 0.0001))
    assert direction.gain == pytest.approx(0.5)
    assert direction.span == 2
    assert Direction(name="layer 0", step_gains=(), memory=(1.0,)).span is None
    assert Unrolled(directions=(direction,)).gain == pytest.approx(0.5)
