import math

import pytest
import torch
from torch.distributions import Normal

from evenkeel.metrics import nll


def plain(distribution, target):
    z = (target - distribution.mean) / distribution.stddev
    return float((0.5 * z**2 + distribution.stddev.log() + 0.5 * math.log(2 * math.pi)).mean())


def test_golden_value():
    mean, std, target = (torch.tensor(x, dtype=torch.float64) for x in ([1.0, 2, 3], [0.1, 0.5, 1], [1.5, 3, 2]))
    assert nll(Normal(mean, std), target) == pytest.approx(4.920361108686675, rel=1e-14)
