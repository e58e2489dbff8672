"""Reference, as in `test_contributions`: functional and in-place code, and finite differences for the last term."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from chain.test_contributions import EXACT, branch, check, pull
from evenkeel.chain import trace


class Functional(nn.Module):
    """Parameters and functions only; weights enter through matmul, einsum and a batched product."""

    def __init__(self):
        super().__init__()
        self.first = nn.Parameter(torch.randn(5, 8) / 2)
        self.shift = nn.Parameter(torch.randn(8))
        self.second = nn.Parameter(torch.randn(8, 6) / 3)
        self.members = nn.Parameter(torch.randn(3, 6, 4) / 2)
        self.offset = nn.Parameter(torch.randn(3, 1, 4))

    def one(self, x):
        return F.elu(x @ self.first + self.shift)

    def two(self, h):
        return torch.einsum("bi,io->bo", h, self.second).sigmoid()

    def three(self, h):
        return torch.baddbmm(self.offset, h.expand(3, *h.shape), self.members)

    def forward(self, x):
        return self.three(self.two(self.one(x)))


def test_functional_style():
    model = Functional().double()
    chain, _, _ = check(model, [model.one, model.two, model.three], torch.randn(7, 5))
    assert [link.name for link in chain.links] == ["first", "second", "members"]
    assert [link.activation for link in chain.links] == ["elu", "sigmoid", None]


class InPlace(nn.Module):
    """Activations, sums and scalings that overwrite their operands."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(5, 8), nn.Linear(8, 8), nn.Linear(8, 2)

    def forward(self, x):
        x.mul_(1.5)
        h = self.first(x).relu_()
        branch = self.second(h).tanh_()
        h = h + branch.mul(0.5)
        h += 0.0
        return self.third(F.silu(h, inplace=True))


def test_in_place_operations():
    model = InPlace().double()
    pieces = [
        lambda x: model.first(1.5 * x).relu(),
        lambda h: F.silu(h + 0.5 * model.second(h).tanh()),
        model.third,
    ]
    x = torch.randn(7, 5, dtype=torch.float64)
    before = x.clone()
    chain, values, gradients = check(model, pieces, x)
    assert torch.equal(x, before)
    above = pull(F.silu, values[1] + 0.5 * model.second(values[1]).tanh(), gradients[2])
    assert branch(chain.links[1], "skip").contribution == pytest.approx(above.norm().item(), rel=EXACT)


class InPlaceSum(nn.Module):
    """A residual sum written into its own operand, between two layers that save nothing of it."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(5, 8), nn.Linear(8, 8), nn.Linear(8, 2)

    def forward(self, x):
        h = self.first(x)
        h += self.second(x.repeat(1, 2)[:, :8])
        return self.third(h)


def test_values_are_those_before_they_were_overwritten():
    model, x = InPlaceSum().double(), torch.randn(7, 5, dtype=torch.float64)
    chain = trace(model, lambda output, _: output.sum(), (x, None))
    first = next(link for _, link in chain.walk() if link.name == "first")
    assert first.forward_rms == pytest.approx(model.first(x).square().mean().sqrt().item(), rel=EXACT)


def test_the_last_term_agrees_with_finite_differences():
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1)).double()
    x, y = torch.randn(9, 4, dtype=torch.float64), torch.randn(9, 1, dtype=torch.float64)
    chain = trace(model, F.mse_loss, (x, y))
    for link, layer in zip(chain.links, (model[0], model[2]), strict=True):
        total = 0.0
        for index in range(layer.weight.numel()):
            with torch.no_grad():
                flat = layer.weight.view(-1)
                kept, step = flat[index].item(), 1e-6
                flat[index] = kept + step
                high = F.mse_loss(model(x), y).item()
                flat[index] = kept - step
                low = F.mse_loss(model(x), y).item()
                flat[index] = kept
            total += ((high - low) / (2 * step)) ** 2
        assert link.terms[0].gradient_norm == pytest.approx(total**0.5, rel=1e-6)


def test_a_merged_chain_is_the_finite_difference_jacobian_product():
    model, x = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double(), torch.randn(1, 4).double()
    chain = trace(model, lambda output, _: output.sum(), (x, None))
    step = 1e-6
    rows = [(model(x + step * e) - model(x - step * e)).sum() / (2 * step) for e in torch.eye(4).double()]
    assert chain.input_gradient == pytest.approx(torch.stack(rows).norm().item(), rel=1e-7)
