import torch

from evenkeel.losses._row_lse import row_lse


def test_agrees_with_the_full_matrix():
    query, key = (50 * torch.randn(700, 3)).double().requires_grad_(), torch.randn(900, 3).double().requires_grad_()
    weight = torch.rand(700).double()
    found, expected = row_lse(query, key), torch.logsumexp(query @ key.T, 1)
    assert torch.allclose(found, expected)
    gradients = [torch.autograd.grad((x * weight).sum(), (query, key)) for x in (found, expected)]
    assert all(torch.allclose(*pair) for pair in zip(*gradients, strict=True))


def test_nothing_to_sum_is_minus_infinity_with_zero_gradient():
    query, key = torch.randn(1, 3, requires_grad=True), torch.randn(0, 3)
    value = row_lse(query, key)
    assert value.item() == -torch.inf
    assert torch.equal(torch.autograd.grad(value.sum(), query)[0], torch.zeros(1, 3))
