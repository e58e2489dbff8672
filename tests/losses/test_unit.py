import pytest
import torch

from evenkeel.losses.unit import unit


@pytest.mark.parametrize("size", [1e-30, 1e-3, 1.0, 1e4, 1e30])
def test_length_is_one_at_any_size(size):
    embedding = torch.randn(5, 3)
    assert torch.allclose(unit(embedding * size), torch.nn.functional.normalize(embedding), atol=1e-6)


def test_a_row_of_zeros_stays_zero_with_a_finite_gradient():
    embedding = torch.zeros(2, 3, requires_grad=True)
    assert torch.equal(unit(embedding), torch.zeros(2, 3))
    assert torch.autograd.grad(unit(embedding).sum(), embedding)[0].abs().max() <= 1


def test_derivatives_of_both_orders():
    embedding = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(unit, embedding) and torch.autograd.gradgradcheck(unit, embedding)
