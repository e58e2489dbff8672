"""The rules, each against measurement over many fresh networks, and the places where there is no rule."""

import math

import pytest
import torch
from torch import nn

from evenkeel.chain import trace
from evenkeel.chain.theory.gain import of_sum, root_product, root_sum


def measured(make, shape, draws=24):
    """Mean squared gain and mean squared expectation over fresh networks under a random dL/dy; the last ideal."""
    gains, expected, ideal = [], [], None
    for seed in range(draws):
        torch.manual_seed(seed)
        model, x = make(), torch.randn(*shape)
        towards = torch.randn_like(model(x).detach())
        chain = trace(model, lambda output, _, towards=towards: (output * towards).sum(), (x, None))
        (link,) = chain.links
        gains.append(link.gain**2)
        expected.append(math.nan if link.expected_gain is None else link.expected_gain**2)
        ideal = link.ideal_gain
    return sum(gains) / draws, sum(expected) / draws, ideal


def stack(*layers):
    return lambda: nn.Sequential(*(layer() for layer in layers))


def linear(inputs=96, outputs=96):
    return lambda: nn.Linear(inputs, outputs)


RULES = {
    "linear": (stack(linear()), (32, 96)),
    "widening": (stack(linear(96, 200), nn.ReLU), (32, 96)),
    "narrowing": (stack(linear(96, 40), nn.Tanh), (32, 96)),
    "leaky": (stack(linear(), lambda: nn.LeakyReLU(0.2)), (32, 96)),
    "GELU": (stack(linear(), nn.GELU), (32, 96)),
    "sigmoid": (stack(linear(), nn.Sigmoid), (32, 96)),
    "softplus": (stack(linear(), nn.Softplus), (32, 96)),
    "dropout": (stack(linear(), nn.ReLU, lambda: nn.Dropout(0.4)), (32, 96)),
    "batch norm": (stack(linear(), lambda: nn.BatchNorm1d(96), nn.ReLU), (64, 96)),
    "layer norm": (stack(linear(), lambda: nn.LayerNorm(96), nn.SiLU), (32, 96)),
    "group norm": (stack(linear(), lambda: nn.GroupNorm(4, 96), nn.ReLU), (32, 96)),
    "instance norm": (stack(lambda: nn.Conv2d(8, 16, 3), lambda: nn.InstanceNorm2d(16), nn.ReLU), (4, 8, 10, 10)),
    "log-sigmoid": (stack(linear(), nn.LogSigmoid), (32, 96)),
    "ReLU6": (stack(linear(), nn.ReLU6), (32, 96)),
    "norm alone": (stack(lambda: nn.LayerNorm(96)), (32, 96)),
    "convolution": (stack(lambda: nn.Conv2d(8, 16, 3, padding=1), nn.ReLU), (4, 8, 10, 10)),
    "strided": (stack(lambda: nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ELU), (4, 8, 11, 11)),
    "transposed": (stack(lambda: nn.ConvTranspose2d(8, 6, 4, stride=2, padding=1)), (4, 8, 6, 6)),
    "average pool": (stack(lambda: nn.AvgPool2d(2)), (4, 8, 10, 10)),
    "maximum pool": (stack(lambda: nn.MaxPool2d(2)), (4, 8, 10, 10)),
    "global average": (stack(lambda: nn.AdaptiveAvgPool2d(1)), (4, 8, 10, 10)),
}


@pytest.mark.parametrize("name", RULES)
def test_each_rule_agrees_with_measurement(name):
    gain, expected, ideal = measured(*RULES[name])
    assert expected == pytest.approx(gain, rel=0.1)
    assert ideal is not None and 0 < ideal < 2


@pytest.mark.parametrize(("layers", "ideal"), [
    ((linear(), nn.ReLU), 1.0),
    ((linear(), nn.Tanh), 1.0),
    ((linear(), nn.Sigmoid), 0.391),
    ((linear(), lambda: nn.BatchNorm1d(96), nn.ReLU), 1.211),
    ((linear(), lambda: nn.BatchNorm1d(96), nn.Tanh), 1.085),
    ((linear(), lambda: nn.LayerNorm(96), nn.ReLU), 1.0),
    ((linear(), nn.ReLU, lambda: nn.Dropout(0.5)), 2**0.5),
    ((lambda: nn.AvgPool2d(2),), 0.5),
])  # fmt: skip
def test_ideals(layers, ideal):
    shape = (16, 96) if len(layers) > 1 else (2, 3, 8, 8)
    assert measured(stack(*layers), shape, draws=1)[2] == pytest.approx(ideal, rel=2e-3)


def test_where_no_rule_holds_it_says_so():
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sin()

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    layer = nn.Linear(4, 4)
    model = nn.ModuleList([layer])
    model.forward = lambda x: Own.apply(layer(x)).cumsum(1)
    chain = trace(model, lambda output, _: output.sum(), (torch.randn(3, 4), None))
    assert any(link.measured_only for link in chain.links)
    assert chain.expected_gain is None
    overlapping = nn.Sequential(nn.MaxPool2d(3, stride=1))
    chain = trace(overlapping, lambda output, _: output.sum(), (torch.randn(2, 1, 6, 6), None))
    assert chain.links[0].measured_only


def test_a_custom_operation_is_no_theorys_business_whatever_it_is_made_of():
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight):
            ctx.save_for_backward(weight)
            return torch.relu(x @ weight)

        @staticmethod
        def backward(ctx, gradient):
            return 7 * gradient @ ctx.saved_tensors[0].T, None

    weight, x = torch.randn(4, 6), torch.randn(3, 4)
    model = nn.Module()
    model.forward = lambda x: Own.apply(x, weight)
    (link,) = trace(model, lambda output, _: output.sum(), (x, None)).links
    assert (link.name, link.kind, link.activation, link.expected_gain) == ("Own", "operation", None, None)
    assert link.gain == pytest.approx((7 * torch.ones(3, 6) @ weight.T).norm().item() / 18**0.5, rel=1e-5)
    assert link.forward_rms == pytest.approx(torch.relu(x @ weight).square().mean().sqrt().item(), rel=1e-5)


def test_a_scaled_branch_and_a_learned_scale():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.scale = nn.Linear(64, 64), nn.Parameter(torch.full((64,), 0.1))

        def forward(self, h):
            return self.scale * self.layer(h) * 0.5

    gain, expected, ideal = measured(Scaled, (32, 64), draws=6)
    assert expected == pytest.approx(gain, rel=0.1)
    assert ideal == pytest.approx(0.5)


def test_sums():
    assert root_sum([0.6, 0.8]) == pytest.approx(1.0)
    assert root_sum([]) is None
    assert (of_sum(1.3).expected, of_sum(1.3).ideal) == (1.3, 1.0)


def test_products_of_gains():
    assert (root_product([2.0, 3.0]), root_product([None, 3.0]), root_product([])) == (6.0, None, 1.0)
