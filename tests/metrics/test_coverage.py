import pytest
import torch
from torch.distributions import Normal

from evenkeel.metrics import coverage


def plain(distribution, target):
    z = (target - distribution.mean) / distribution.stddev
    return float((z.abs() <= 1.6448536269514722).double().mean())


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_a_true_distribution_is_covered_at_its_level(level):
    target = torch.randn(20_000, dtype=torch.float64)
    assert coverage(Normal(torch.zeros(20_000), 1.0), target, level=level) == pytest.approx(level, abs=0.02)
