import math

import pytest
import torch
from torch.distributions import Normal

from evenkeel.errors import ShapeError
from evenkeel.losses import gaussian_nll


def plain(mean, log_variance, target, beta=0.0, constant=False):
    value = 0.5 * (log_variance + (target - mean) ** 2 / torch.exp(log_variance))
    return value + 0.5 * math.log(2 * math.pi) if constant else value


MEAN = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
STD = torch.tensor([0.1, 0.5, 1.0], dtype=torch.float64)
TARGET = torch.tensor([1.5, 3.0, 2.0], dtype=torch.float64)


def test_golden_value():
    assert gaussian_nll(MEAN, 2 * STD.log(), TARGET, constant=True) == pytest.approx(4.920361108686675, rel=1e-14)


def test_agrees_with_the_density_and_the_default_leaves_out_the_constant():
    expected = -Normal(MEAN, STD).log_prob(TARGET)
    complete = gaussian_nll(MEAN, 2 * STD.log(), TARGET, constant=True, reduction="none")
    assert torch.allclose(complete, expected, rtol=1e-14)
    default = gaussian_nll(MEAN, 2 * STD.log(), TARGET, reduction="none")
    assert torch.allclose(default, expected - 0.5 * math.log(2 * math.pi), rtol=1e-12)


@pytest.mark.parametrize("beta", [0.5, 1])
def test_beta_scales_the_gradient_by_the_variance_held_constant(beta):
    log_variance = (2 * STD.log()).requires_grad_()
    plain_gradient = torch.autograd.grad(gaussian_nll(MEAN, log_variance, TARGET, reduction="sum"), log_variance)[0]
    value = gaussian_nll(MEAN, log_variance, TARGET, beta=beta, reduction="sum")
    found = torch.autograd.grad(value, log_variance)[0]
    assert torch.allclose(found, plain_gradient * STD ** (2 * beta))
    assert not torch.allclose(found, plain_gradient)


@pytest.mark.parametrize("far", [-1e4, -100.0, -25.0, 25.0, 1e4])
def test_a_far_log_variance_is_pulled_back(far):
    log_variance = torch.full((1,), far, requires_grad=True)
    value = gaussian_nll(torch.zeros(1), log_variance, torch.ones(1))
    gradient = torch.autograd.grad(value, log_variance)[0]
    assert value.isfinite() and gradient.isfinite()
    assert gradient * far > 0 and gradient.abs() > 1e-5


def test_the_formula_is_exact_up_to_twenty():
    log_variance = torch.tensor([-20.0, 0.1, 20.0], dtype=torch.float64)
    expected = 0.5 * (log_variance + (TARGET - MEAN) ** 2 * torch.exp(-log_variance))
    assert torch.equal(gaussian_nll(MEAN, log_variance, TARGET, reduction="none"), expected)


def test_one_log_variance_may_serve_all_rows():
    shared = gaussian_nll(MEAN, torch.tensor(0.5, dtype=torch.float64), TARGET)
    assert shared == gaussian_nll(MEAN, torch.full((3,), 0.5, dtype=torch.float64), TARGET)
    with pytest.raises(ShapeError, match="log_variance must have the shape of the output"):
        gaussian_nll(MEAN, torch.zeros(2), TARGET)
