"""One batched map for a whole ensemble equals its members one by one."""

import pytest
import torch

from evenkeel.linear import Linear


def reference(layer: Linear, x: torch.Tensor, member: int) -> torch.Tensor:
    """One member in float64, the obvious way."""
    inputs = x[member] if x.dim() == 3 else x
    return inputs.double() @ layer.weight[member].double() + layer.bias[member].double()


@pytest.mark.parametrize("shape", [(7, 3), (4, 7, 3), (1, 3), (4, 1, 3), (0, 3)])
def test_ensemble_equals_its_members(shape):
    layer = Linear(3, 5, members=4, variance=2.0)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(shape)
    found = layer(x)
    assert found.shape == (4, shape[-2], 5)
    for member in range(4):
        torch.testing.assert_close(found[member].double(), reference(layer, x, member), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shape", [(7, 3), (2, 7, 3)])
def test_one_network_equals_torch(shape):
    layer = Linear(3, 5)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(shape)
    torch.testing.assert_close(layer(x), torch.nn.functional.linear(x, layer.weight.T, layer.bias))


@pytest.mark.parametrize("members", [None, 1, 3])
@pytest.mark.parametrize("variance", [0.5, 2.0])
def test_start_has_the_variance_asked_for(members, variance):
    layer = Linear(400, 300, members=members, variance=variance)
    assert float(layer.weight.detach().var()) * 400 == pytest.approx(variance, rel=0.02)
    assert not layer.bias.detach().any()


def test_members_start_differently_and_learn_apart():
    layer = Linear(3, 2, members=2)
    assert not torch.equal(layer.weight[0], layer.weight[1])
    layer(torch.randn(5, 3))[0].sum().backward()
    assert layer.weight.grad is not None
    assert float(layer.weight.grad[1].abs().max()) == 0.0
    assert float(layer.weight.grad[0].abs().max()) > 0.0


def test_gradients_agree_with_finite_differences():
    layer = Linear(3, 2, members=2).double()
    assert torch.autograd.gradcheck(layer, torch.randn(4, 3, dtype=torch.float64, requires_grad=True))
    assert torch.autograd.gradcheck(layer, torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True))


def test_no_inputs_give_the_bias():
    layer = Linear(0, 2, members=3)
    assert layer(torch.zeros(5, 0)).shape == (3, 5, 2)


def test_says_what_it_is():
    assert repr(Linear(3, 5, members=4)) == "Linear(3, 5, members=4)"
    assert repr(Linear(3, 5)) == "Linear(3, 5)"
