import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from evenkeel.chain import ideal as module
from evenkeel.chain import trace
from evenkeel.chain.ideal import NullDistribution, architecture, initialise_well_, null_distribution
from evenkeel.errors import RequestError

BATCH = (torch.randn(32, 16, generator=torch.Generator().manual_seed(0)), torch.zeros(32, 1))


def deep(depth, activation=nn.ReLU, width=64):
    layers = [layer for _ in range(depth) for layer in (nn.Linear(width, width), activation())]
    return nn.Sequential(nn.Linear(16, width), activation(), *layers, nn.Linear(width, 1))


def test_a_default_initialisation_is_far_from_its_null_and_a_good_one_is_not():
    sick, loss = deep(12), F.mse_loss
    null = null_distribution(sick, loss, BATCH, draws=4)
    assert null.deviation(trace(sick, loss, BATCH).total_gain) < -8
    well = copy.deepcopy(sick)
    initialise_well_(well, trace(sick, loss, BATCH), torch.Generator().manual_seed(99))
    assert abs(null.deviation(trace(well, loss, BATCH).total_gain)) < 5
    assert 0.1 < null.gain < 10 and len(null.similarities) == 4


def test_the_model_and_the_random_state_stay_as_they_are():
    model = deep(2)
    before, state = copy.deepcopy(model.state_dict()), torch.random.get_rng_state()
    null_distribution(model, F.mse_loss, BATCH, draws=2, seed=7)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_answers_are_kept_by_architecture(monkeypatch):
    first = null_distribution(deep(3), F.mse_loss, BATCH, draws=2)
    monkeypatch.setattr(module, "_draw", None)  # a second computation would fail
    assert null_distribution(deep(3), F.mse_loss, BATCH, draws=2) is first
    assert architecture(deep(3), BATCH) != architecture(deep(3, nn.Tanh), BATCH)
    assert architecture(deep(3), BATCH) != architecture(deep(3).eval(), BATCH)


def test_initialise_well_sets_what_theory_says():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.up, self.down = nn.LayerNorm(64), nn.Linear(64, 256), nn.Linear(256, 64)

        def forward(self, h):
            return h + self.down(torch.relu(self.up(self.norm(h))))

    model = nn.Sequential(nn.Linear(16, 64), Block(), Block(), nn.LSTM(64, 32, batch_first=True))
    first, second, blocks = model[0], model[3], model[1:3]
    model.forward = lambda x: second(blocks(first(x))[:, None])[0].sum(-1)
    with torch.no_grad():
        model[1].norm.weight.fill_(9.0)
    initialise_well_(model, trace(model, F.mse_loss, BATCH), torch.Generator().manual_seed(0))
    rms = lambda weight: weight.detach().square().mean().sqrt().item()  # noqa: E731
    assert rms(first.weight) == pytest.approx(16**-0.5, rel=0.1)
    assert rms(model[1].up.weight) == pytest.approx((2 / 64) ** 0.5, rel=0.05)
    assert rms(model[1].down.weight) == pytest.approx(256**-0.5 / 2**0.5, rel=0.05)  # two blocks
    assert torch.equal(model[1].norm.weight, torch.ones(64)) and not model[1].up.bias.any()
    assert torch.equal(second.bias_ih_l0[32:64], torch.ones(32)) and not second.bias_hh_l0.any()


def test_deviation_and_errors():
    null = NullDistribution(total_gains=(1.0, 100.0), similarities=())
    assert null.gain == pytest.approx(10.0)
    assert null.deviation(10.0) == pytest.approx(0.0)
    assert null.deviation(0.0) == -math.inf
    with pytest.raises(RequestError, match="at least 2 draws, got 1"):
        null_distribution(deep(1), F.mse_loss, BATCH, draws=1)
