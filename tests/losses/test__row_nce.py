import pytest
import torch

from evenkeel.losses._row_nce import row_nce, row_nce_sum


@pytest.mark.parametrize("own", [None, 0, 2])
@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize(("rows", "keys"), [(4, 7), (700, 900)])  # one tile, several
def test_both_forms_agree_with_the_full_matrix(own, scale, rows, keys):
    query, key = (
        (scale * torch.randn(rows, 3)).double().requires_grad_(),
        torch.randn(keys, 3).double().requires_grad_(),
    )
    positive = (torch.arange(rows) + 3) % keys
    scores = query @ key.T
    if own is not None:
        scores = scores.masked_fill(torch.arange(rows).unsqueeze(1) + own == torch.arange(keys), -torch.inf)
    expected, weight = -torch.log_softmax(scores, 1)[torch.arange(rows), positive], torch.rand(rows).double()
    found, total = row_nce(query, key, positive, own), row_nce_sum(query, key, positive, own)
    assert torch.allclose(found, expected) and torch.allclose(total, expected.sum())
    for mine, twin in [((found * weight).sum(), (expected * weight).sum()), (3 * total, 3 * expected.sum())]:
        gradients = [torch.autograd.grad(x, (query, key), retain_graph=True) for x in (mine, twin)]
        assert all(torch.allclose(*pair, atol=1e-10) for pair in zip(*gradients, strict=True))


def test_without_a_gradient_none_is_computed():
    query, key = torch.randn(2, 4, 3)
    total = row_nce_sum(query, key, torch.arange(4))
    assert not total.requires_grad and torch.allclose(total, row_nce(query, key, torch.arange(4)).sum())
