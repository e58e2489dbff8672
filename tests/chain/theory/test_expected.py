"""Quadrature against the published table of critical values, closed forms, Monte Carlo, and simulated networks."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from evenkeel.chain import trace
from evenkeel.chain.theory.expected import chain_gain, chi, fixed_point, moments, variance_map

CRITICAL = [  # activation, s, q*, chi*, gain
    (torch.relu, 2.0, 1.0, 1.0, 1.0),
    (torch.relu, 1.0, 0.0, 0.5, 0.707),
    (torch.relu, 1 / 3, 0.0, 0.1667, 0.408),
    (torch.tanh, 1 / 3, 0.0, 0.3333, 0.577),
    (torch.tanh, 25 / 9, 1.18, 1.21, 1.1),
    (torch.sigmoid, 1 / 3, 0.085, 0.02, 0.141),
    (torch.sigmoid, 1.0, 0.265, 0.0557, 0.236),
    (torch.sigmoid, 2.0, 0.555, 0.101, 0.318),
    (F.selu, 1.0, 1.0, 1.0716, 1.035),
    (F.gelu, 2.0, 0.0, 0.5, 0.707),
    (F.gelu, 1.0, 0.0, 0.25, 0.5),
    (F.gelu, 1 / 3, 0.0, 0.0833, 0.289),
    (F.silu, 2.0, 0.0, 0.5, 0.707),
    (F.silu, 1 / 3, 0.0, 0.0833, 0.289),
]
FUNCTIONS = [torch.relu, F.leaky_relu, torch.tanh, torch.sigmoid, F.selu, F.elu, F.gelu, F.silu, F.softplus, F.hardtanh]


@pytest.mark.parametrize(("function", "s", "q", "critical", "gain"), CRITICAL)
def test_fixed_points_and_gains(function, s, q, critical, gain):
    found = fixed_point(function, weight_variance=s)
    assert found == pytest.approx(q, abs=6e-3)
    backward = chi(function, max(found, 1e-12), weight_variance=s)
    assert backward == pytest.approx(critical, rel=5e-3)
    assert math.sqrt(backward) == pytest.approx(gain, rel=5e-3)


LOST = [  # activation, s, the ratio that counts as lost, layers until then
    (torch.relu, 1.0, 1e-3, 20),
    (torch.relu, 1.0, 1e-7, 47),
    (torch.relu, 1 / 3, 1e-3, 8),
    (torch.relu, 1 / 3, 1e-7, 18),
    (torch.tanh, 1 / 3, 1e-3, 12),
    (torch.sigmoid, 1 / 3, 1e-3, 4),
    (torch.sigmoid, 2.0, 1e-7, 15),
    (F.gelu, 1 / 3, 1e-7, 14),
    (F.silu, 1 / 3, 1e-3, 6),
]


@pytest.mark.parametrize(("function", "s", "below", "layers"), LOST)
def test_layers_until_the_gradient_is_lost(function, s, below, layers):
    needed = next(depth for depth in range(1, 100) if chain_gain(function, depth, weight_variance=s) < below)
    assert abs(needed - layers) <= 1


def test_a_glorot_tanh_chain_of_fifty():
    assert chain_gain(torch.tanh, 50, weight_variance=1.0) ** (1 / 50) == pytest.approx(0.957, abs=2e-3)
    assert chain_gain(torch.tanh, 45, weight_variance=25 / 9) == pytest.approx(70, rel=0.1)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("q", [1e-3, 0.3, 1.0, 30.0])
def test_moments_against_a_million_draws(function, q):
    generator = torch.Generator().manual_seed(1)
    z = (torch.randn(1_000_000, generator=generator, dtype=torch.float64) * math.sqrt(q)).requires_grad_()
    value = function(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    found = moments(function, q)
    pairs = [
        (found.square, value.square()),
        (found.slope_square, slope.square()),
        (found.slope_fourth, slope.pow(4)),
        (found.mean, value),
    ]
    for exact, sample in pairs:
        error = (sample.std() / 1000).item()
        assert exact == pytest.approx(sample.mean().item(), abs=5 * error + 1e-9)


def test_closed_forms():
    assert moments(torch.relu, 3.0).square == pytest.approx(1.5, rel=1e-9)
    assert moments(torch.relu, 3.0).mean == pytest.approx(math.sqrt(3 / (2 * math.pi)), rel=1e-6)
    assert moments(torch.relu, 3.0).variance == pytest.approx(1.5 - 3 / (2 * math.pi), rel=1e-6)
    assert moments(F.leaky_relu, 1.0).slope_square == pytest.approx((1 + 0.01**2) / 2, rel=1e-9)
    assert variance_map(lambda z: z, 2.0, weight_variance=3.0, bias_variance=0.5) == pytest.approx(6.5, rel=1e-9)
    assert moments(torch.erf, 1e6).square == pytest.approx(1.0, abs=1e-2)
    assert moments(torch.zeros_like, 1.0).slope_square == 0.0
    assert moments(torch.zeros_like, 1.0).scatter(3, 3) == math.inf


class Members(nn.Module):
    """Many independent networks of one width side by side, one example each, no biases."""

    def __init__(self, function, s, members, width, depth, generator):
        super().__init__()
        self.function = function
        self.weights = nn.ParameterList(
            torch.randn(members, width, width, generator=generator) * math.sqrt(s / width) for _ in range(depth)
        )

    def forward(self, x):
        for weight in self.weights:
            x = self.function(x @ weight)
        return x


def simulated(function, s, *, members, width, depth, seed=0):
    """The trace of fresh networks whose first pre-activations have unit variance, and a random dL/dy."""
    generator = torch.Generator().manual_seed(seed)
    model = Members(function, s, members, width, depth, generator)
    x = torch.randn(members, 1, width, generator=generator)
    x = x / x.norm(dim=-1, keepdim=True) * math.sqrt(width / s)
    towards = torch.randn(members, 1, width, generator=generator)
    return trace(model, lambda output, _: (output * towards).sum(), (x, None))


@pytest.mark.parametrize(("function", "s"), [(row[0], row[1]) for row in CRITICAL] + [(torch.tanh, 1.0)])
def test_simulation_agrees_within_a_twentieth_of_a_decade(function, s):
    depth = 8
    chain = simulated(function, s, members=32, width=256, depth=depth)
    gains = torch.tensor(chain.example_gains, dtype=torch.float64)
    measured = gains.square().mean().log10().item() / 2
    assert abs(measured - math.log10(chain_gain(function, depth, weight_variance=s))) < 0.05
    assert abs(math.log10(chain.expected_gain) - math.log10(chain_gain(function, depth, weight_variance=s))) < 0.05
    for link in chain.links:
        assert abs(math.log10(link.gain / link.expected_gain)) < 0.05


@pytest.mark.parametrize(("width", "depth", "members"), [(64, 20, 500), (128, 34, 300)])
def test_the_scatter_law_on_single_examples(width, depth, members):
    chain = simulated(torch.relu, 2.0, members=members, width=width, depth=depth)
    logs = 2 * torch.tensor(chain.example_gains, dtype=torch.float64).log()
    law = sum(link.scatter for link in chain.links)
    assert law == pytest.approx(5 * depth / width, rel=1e-6)
    assert logs.var().item() == pytest.approx(law, rel=0.2)
    assert chain.ideal_scatter == pytest.approx(math.sqrt(law) / 2 / math.log(10))
