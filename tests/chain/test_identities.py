"""What must hold exactly, and what only a look at more than norms can see."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from evenkeel.chain import trace


def deep(width, depth, *, s=2.0, inputs=None):
    """Linear layers of weight variance s/fan-in with ReLU between, no biases; a linear layer at the end."""
    layers = [nn.Linear(inputs or width, width, bias=False)]
    for _ in range(depth - 1):
        layers += [nn.ReLU(), nn.Linear(width, width, bias=False)]
    model = nn.Sequential(*layers, nn.ReLU(), nn.Linear(width, 1, bias=False))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=math.sqrt(s / layer.in_features))
    return model


def summed(output, _):
    return output.sum()


@pytest.mark.parametrize("depth", [2, 30])
def test_an_orthogonal_linear_network_passes_everything_on(depth):
    layers = [nn.Linear(12, 12, bias=False) for _ in range(depth)]
    for layer in layers:
        nn.init.orthogonal_(layer.weight)
    chain = trace(nn.Sequential(*layers).double(), summed, (torch.randn(5, 12).double(), None), spectrum=3)
    for link in chain.links:
        assert link.gain == pytest.approx(1, abs=1e-6)
        assert link.singular_values == pytest.approx((1, 1, 1), abs=1e-6)
    assert chain.total_gain == pytest.approx(1, abs=1e-5)


def test_for_one_example_the_weight_gradient_is_the_product_of_two_norms():
    model = deep(16, 4).double()
    chain = trace(model, summed, (torch.randn(1, 16).double(), None))
    for link in chain.links:
        term = link.terms[0]
        assert term.gradient_norm == pytest.approx(term.output_gradient_norm * term.input_norm, rel=1e-12)
        assert link.gradient_rms == pytest.approx(term.gradient_norm / math.sqrt(math.prod(term.shape)), rel=1e-12)


def test_a_residual_block_scaled_down_is_the_identity_plus_a_little():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 6, bias=False)

        def forward(self, h):
            return h + 0.01 * self.layer(h)

    block, first = Block(), nn.Linear(6, 6, bias=False)
    model = nn.Sequential(first, block).double()
    chain = trace(model, lambda output, _: output.square().sum(), (torch.randn(7, 6).double(), None), spectrum=2)
    jacobian = torch.eye(6).double() + 0.01 * block.layer.weight.detach()
    exact = torch.linalg.svdvals(jacobian)[:2]
    assert chain.links[1].singular_values == pytest.approx(exact.tolist(), rel=1e-3)
    assert chain.links[1].expected_gain == pytest.approx(1.0, abs=1e-3)


def test_softmax_over_one_unit_gives_no_gradient():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1), nn.Softmax(dim=1))
    chain = trace(model, F.mse_loss, (torch.randn(9, 4), torch.rand(9, 1)))
    assert chain.input_gradient == 0.0
    assert all(link.gain == 0.0 for link in chain.links)
    assert all(link.gradient_rms == 0.0 for link in chain.links if link.terms)


@pytest.mark.parametrize("head", ["zeros", "equal columns"])
def test_a_head_that_says_nothing_passes_no_gradient_into_the_trunk(head):
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    with torch.no_grad():
        model[2].bias.zero_()
        model[2].weight.copy_(model[2].weight[:1].expand(3, 8) if head == "equal columns" else torch.zeros(3, 8))
    target = torch.tensor([0, 1, 2] * 4)
    chain = trace(model.double(), F.cross_entropy, (torch.randn(12, 4).double(), target))
    assert chain.links[1].contribution == pytest.approx(0.0, abs=1e-16)
    assert chain.loss == pytest.approx(math.log(3), rel=1e-12)
    assert chain.known_loss == pytest.approx(math.log(3), rel=1e-12)


def test_inner_products_of_weights_and_gradients_are_equal_in_a_bias_free_network():
    model, x = deep(10, 5).double(), torch.randn(1, 10).double()
    chain = trace(model, summed, (x, None))
    layers = [layer for layer in model if isinstance(layer, nn.Linear)]
    gradients = torch.autograd.grad(model(x).sum(), [layer.weight for layer in layers])
    inner = [(layer.weight * g).sum().item() for layer, g in zip(layers, gradients, strict=True)]
    assert inner == pytest.approx([inner[0]] * len(inner), rel=1e-9)
    # and with what the chain says: the last layer's is <w, dw> = |dL/dy| w·h = the loss itself
    assert inner[-1] == pytest.approx(chain.loss, rel=1e-9)
    assert [link.terms[0].gradient_norm for link in chain.links] == pytest.approx([g.norm().item() for g in gradients])


def test_norms_are_not_enough():
    """Gains of 1 in every layer, and yet the network no longer sees its input."""
    torch.manual_seed(0)
    chain = trace(deep(128, 56), summed, (torch.randn(64, 128), None))
    gains = [link.gain for link in chain.links[:-1]]
    assert math.prod(gains) ** (1 / len(gains)) == pytest.approx(1, abs=0.03)
    assert chain.links[0].similarity < 0.5
    assert chain.links[-2].similarity > 0.97
    # healthy by comparison: the same width, few layers
    assert trace(deep(128, 3), summed, (torch.randn(64, 128), None)).links[-2].similarity < 0.9


def test_the_blind_spot_of_weight_gradients():
    """Weight gradients look alike from end to end while the chain dies: the features shrink as the gradients grow."""
    torch.manual_seed(0)
    chain = trace(
        deep(64, 40, s=1 / 3).double(), F.mse_loss, (torch.randn(64, 64).double(), torch.randn(64, 1).double())
    )
    first, last = chain.links[0], chain.links[-2]
    assert 0.05 < first.terms[0].gradient_norm / last.terms[0].gradient_norm < 50
    through = math.prod(link.gain for link in chain.links[:-1])
    assert through < 1e-14
    assert through == pytest.approx(chain.expected_gain / chain.links[-1].expected_gain, rel=20)


def test_batch_norm_and_relu_explode():
    """sqrt(pi / (pi - 1)) = 1.211 a layer, at the very best initialisation: the ideal says so too."""
    torch.manual_seed(0)
    blocks = [(nn.Linear(256, 256, bias=False), nn.BatchNorm1d(256), nn.ReLU()) for _ in range(12)]
    model = nn.Sequential(*(layer for block in blocks for layer in block))
    towards = torch.randn(256, 256)
    chain = trace(model, lambda output, _: (output * towards).sum(), (torch.randn(256, 256), None))
    inner = chain.links[3:]
    measured = math.prod(link.gain for link in inner) ** (1 / len(inner))
    assert measured == pytest.approx(1.205, abs=0.02)
    for link in inner:
        assert link.ideal_gain == pytest.approx(math.sqrt(math.pi / (math.pi - 1)), rel=1e-3)
        assert link.expected_gain == pytest.approx(link.gain, rel=0.06)


def test_default_initialisation_agrees_with_its_own_theory_and_is_far_from_its_ideal():
    torch.manual_seed(0)
    layers = [layer for _ in range(20) for layer in (nn.Linear(128, 128), nn.ReLU())]
    chain = trace(nn.Sequential(*layers), summed, (torch.randn(128, 128), None))
    for link in chain.links:
        assert 0.7 < link.gain / link.expected_gain < 1.4
        assert link.ideal_gain == pytest.approx(1.0, abs=1e-6)
        assert link.terms[0].rms == pytest.approx(link.terms[0].ideal_rms / math.sqrt(6), rel=0.05)
    assert 3e-9 < chain.total_gain < 3e-7


def test_dead_layers_happen_as_often_as_they_should():
    """A layer of n ReLU units with symmetric weights and no bias is dead for one input with probability 2^-n."""
    torch.manual_seed(0)
    dead = sum(
        trace(nn.Sequential(nn.Linear(4, 3, bias=False), nn.ReLU()), summed, (torch.randn(1, 4), None)).links[0].dead
        == 1
        for _ in range(120)
    )
    assert 4 <= dead <= 30  # 15 expected; outside this range one time in a thousand
