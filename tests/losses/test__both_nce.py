import pytest
import torch

from evenkeel.losses._both_nce import both_nce


@pytest.mark.parametrize("rows", [1, 4, 1100])  # the last takes several tiles
def test_rows_and_columns_agree_with_the_full_matrix(rows):
    query, key = torch.randn(rows, 4).double().requires_grad_(), (9 * torch.randn(rows, 4)).double().requires_grad_()
    scores, weight = query @ key.T, torch.rand(rows).double()
    expected = -0.5 * (torch.log_softmax(scores, 0) + torch.log_softmax(scores, 1)).diagonal()
    found = both_nce(query, key)
    assert torch.allclose(found, expected)
    gradients = [torch.autograd.grad((x * weight).sum(), (query, key)) for x in (found, expected)]
    assert all(torch.allclose(*pair, atol=1e-10) for pair in zip(*gradients, strict=True))
