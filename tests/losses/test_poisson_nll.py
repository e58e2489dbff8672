import pytest
import torch

from evenkeel.losses import poisson_nll


def plain(log_rate, target, constant=False):
    value = torch.exp(log_rate) - target * log_rate
    return value + torch.lgamma(target.to(log_rate.dtype) + 1) if constant else value


def test_agrees_with_the_probability_and_with_torch():
    log_rate, count = torch.randn(6, dtype=torch.float64), torch.tensor([0, 1, 2, 5, 20, 3])
    expected = -torch.distributions.Poisson(log_rate.exp()).log_prob(count)
    assert torch.allclose(poisson_nll(log_rate, count, constant=True, reduction="none"), expected)
    default = torch.nn.functional.poisson_nll_loss(log_rate, count.double())
    assert poisson_nll(log_rate, count) == pytest.approx(float(default), rel=1e-14)


@pytest.mark.parametrize("far", [100.0, 1e4])
def test_a_far_log_rate_is_pulled_back(far):
    log_rate = torch.tensor([far], requires_grad=True)
    gradient = torch.autograd.grad(poisson_nll(log_rate, torch.tensor([2])), log_rate)[0]
    assert gradient.isfinite() and gradient > 1


def test_the_gradient_is_rate_minus_count():
    log_rate = torch.tensor([0.5, -1.0], requires_grad=True)
    gradient = torch.autograd.grad(poisson_nll(log_rate, torch.tensor([2, 0]), reduction="sum"), log_rate)[0]
    assert torch.allclose(gradient, log_rate.exp() - torch.tensor([2.0, 0.0]))


def test_reaches_the_published_maximum_likelihood(real_data):
    from bench.poisson_linear import PUBLISHED, PUBLISHED_NLL, fit

    loss, weights = fit()
    assert loss == pytest.approx(PUBLISHED_NLL, abs=1e-4)
    assert weights == pytest.approx(PUBLISHED, abs=1e-4)
