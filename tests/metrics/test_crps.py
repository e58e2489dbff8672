import pytest
import torch
from torch.distributions import Normal

from evenkeel.metrics import crps


def plain(distribution, target):
    z = (target - distribution.mean) / distribution.stddev
    unit = Normal(torch.zeros_like(z), 1.0)
    value = distribution.stddev * (z * (2 * unit.cdf(z) - 1) + 2 * unit.log_prob(z).exp() - torch.pi**-0.5)
    return float(value.mean())


def test_golden_value():
    mean, std, target = (torch.tensor(x, dtype=torch.float64) for x in ([1.0, 2, 3], [0.1, 0.5, 1], [1.5, 3, 2]))
    assert crps(Normal(mean, std), target) == pytest.approx(0.59080610693, rel=1e-10)


def test_samples_may_stand_for_a_distribution():
    assert crps(torch.zeros(5, 3), torch.ones(3)) == 1
