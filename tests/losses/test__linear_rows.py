import pytest
import torch

from evenkeel.losses._linear_rows import CPU_ROWS, Problem, product, row_values, weighted_sum


@pytest.mark.parametrize("spread", [None, torch.rand(6).double()])
def test_the_two_ways_to_the_gradient_agree_over_several_chunks(spread):
    rows = 2 * CPU_ROWS + 3
    features, weight = torch.randn(rows, 3).double().requires_grad_(), torch.randn(6, 3).double().requires_grad_()
    kept = (torch.rand(rows) < 0.8).double()
    problem = Problem(features, weight, None, torch.randint(6, (rows,)), torch.rand(rows) * kept, kept, spread)
    share = torch.tensor(0.7, dtype=torch.float64)
    again, at_once = row_values(problem).sum() * share, weighted_sum(problem, share)
    assert torch.allclose(again, at_once)
    gradients = [torch.autograd.grad(x, (features, weight)) for x in (again, at_once)]
    assert all(torch.allclose(*pair) for pair in zip(*gradients, strict=True))


def test_products_of_halves_are_added_up_in_float32():
    left, right = torch.randn(4, 900).bfloat16(), torch.randn(900, 5).bfloat16()
    found = product(left, right)
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), left.double() @ right.double(), rtol=1e-4, atol=1e-4)
