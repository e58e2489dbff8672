import pytest
import torch
from torch import nn

from evenkeel.chain import trace
from evenkeel.chain.graph.spectrum import power_iteration


def test_power_iteration_against_a_decomposition():
    matrix = torch.randn(12, 9, dtype=torch.float64)
    found = power_iteration(lambda v: matrix @ v, lambda u: matrix.T @ u, torch.Size([9]), 3)
    assert found == pytest.approx(torch.linalg.svdvals(matrix)[:3].tolist(), rel=1e-2)


def test_singular_values_of_links_are_those_of_the_first_examples_jacobian():
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 6), nn.GELU(), nn.Linear(6, 2)).double()
    x = torch.randn(4, 5, dtype=torch.float64)
    chain = trace(model, lambda output, _: output.square().sum(), (x, None), spectrum=2)
    value = x[:1]
    for link, piece in zip(chain.links, (model[:2], model[2:4], model[4:]), strict=True):
        jacobian = torch.autograd.functional.jacobian(piece, value).reshape(-1, value.numel())
        assert link.singular_values == pytest.approx(torch.linalg.svdvals(jacobian)[:2].tolist(), rel=1e-2)
        value = piece(value).detach()


def test_asking_changes_nothing_else_and_integers_have_none():
    model = nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 3))
    batch = (torch.tensor([1, 2, 3]), torch.tensor([0, 1, 2]))
    plain = trace(model, nn.functional.cross_entropy, batch)
    asked = trace(model, nn.functional.cross_entropy, batch, spectrum=1)
    assert [link.gain for link in plain.links] == [link.gain for link in asked.links]
    assert plain.links[1].singular_values == () and asked.links[0].singular_values == ()
    expected = torch.linalg.svdvals(model[1].weight)[0].item()
    assert asked.links[1].singular_values == pytest.approx((expected,), rel=1e-2)


def test_what_cannot_be_differentiated_twice_has_none():
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, gradient):
            return gradient * 2

    model = nn.Sequential(nn.Linear(3, 3))
    first = model[0]
    model.forward = lambda x: Once.apply(first(x))
    chain = trace(model, lambda output, _: output.sum(), (torch.ones(2, 3), None), spectrum=1)
    assert all(link.singular_values == () for link in chain.links if link.name != "0")
    assert chain.links[0].gain > 0
