import torch
from torch.distributions import Normal, kl_divergence

from evenkeel.losses import gaussian_prior_kl


def plain(mean, log_variance):
    return 0.5 * (torch.exp(log_variance) + mean**2 - 1 - log_variance).sum(-1)


def test_agrees_with_the_divergence_from_the_standard_normal():
    mean, log_variance = torch.randn(2, 5, 3, dtype=torch.float64)
    expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(-1)
    assert torch.allclose(gaussian_prior_kl(mean, log_variance, reduction="none"), expected)


def test_free_bits_stop_the_gradient_of_dimensions_below_the_allowance():
    mean = torch.tensor([[0.1, 3.0], [0.2, 2.0]], requires_grad=True)
    value = gaussian_prior_kl(mean, torch.zeros(2, 2), free_bits=0.5)
    assert torch.allclose(value, torch.tensor(0.5 + (4.5 + 2.0) / 2))
    gradient = torch.autograd.grad(value, mean)[0]
    assert torch.allclose(gradient, torch.tensor([[0.0, 1.5], [0.0, 1.0]]))


def test_one_example_needs_no_batch_axis():
    assert gaussian_prior_kl(torch.zeros(3), torch.zeros(3), free_bits=0.25) == 0.75
