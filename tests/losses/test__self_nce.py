import pytest
import torch

from evenkeel.losses._self_nce import self_nce


@pytest.mark.parametrize("count", [2, 6, 1300])  # the last takes several tiles
def test_agrees_with_the_full_matrix(count):
    views, weight = (2 * torch.randn(count, 4)).double().requires_grad_(), torch.rand(count).double()
    scores = (views @ views.T).masked_fill(torch.eye(count, dtype=torch.bool), -torch.inf)
    found = self_nce(views)
    expected = -torch.log_softmax(scores, 1)[torch.arange(count), torch.arange(count).roll(count // 2)]
    assert torch.allclose(found, expected)
    gradients = [torch.autograd.grad((x * weight).sum(), views)[0] for x in (found, expected)]
    assert torch.allclose(*gradients, atol=1e-10)
