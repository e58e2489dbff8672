import pytest
import torch

from evenkeel.losses import gamma_nll


def plain(log_mean, log_shape, target):
    shape = torch.exp(log_shape)
    log_gamma = torch.lgamma(shape + 1) - log_shape
    return (
        target * torch.exp(log_shape - log_mean)
        + log_gamma
        + shape * (log_mean - log_shape)
        - (shape - 1) * target.log()
    )


@pytest.mark.parametrize("shape", [1e-3, 0.5, 1.0, 15.9, 16.1, 1e3])
def test_agrees_with_the_density(shape):
    mean = torch.tensor([0.2, 1.0, 30.0], dtype=torch.float64)
    target = mean * torch.tensor([0.9, 1.3, 1.0], dtype=torch.float64)
    log_shape = torch.tensor(shape, dtype=torch.float64).log()
    expected = -torch.distributions.Gamma(shape, shape / mean).log_prob(target)
    assert torch.allclose(gamma_nll(mean.log(), log_shape, target, reduction="none"), expected, rtol=1e-10, atol=1e-10)


def test_a_large_shape_keeps_its_digits_in_single_precision():
    target = torch.tensor([1.0001])
    log_shape = torch.tensor([12.0])
    exact = gamma_nll(torch.zeros(1).double(), log_shape.double(), target.double())
    ours = abs(float(gamma_nll(torch.zeros(1), log_shape, target) - exact))
    naive = abs(float(plain(torch.zeros(1), log_shape, target) - exact))
    assert ours < 1e-2 < naive


@pytest.mark.parametrize("far", [-1e4, -50.0, 50.0, 1e4])
def test_a_far_shape_keeps_a_finite_gradient_that_lives(far):
    log_shape = torch.full((1,), far, requires_grad=True)
    gradient = torch.autograd.grad(gamma_nll(torch.zeros(1), log_shape, torch.full((1,), 2.0)), log_shape)[0]
    assert gradient.isfinite() and gradient.abs() > 1e-6
