import pytest
import torch
from torch.distributions import Normal

from evenkeel.metrics import interval_width


def plain(distribution, target):
    return float((2 * 1.6448536269514722 * distribution.stddev).mean())


def test_width_grows_with_the_level():
    narrow, wide = (interval_width(Normal(torch.zeros(2), 1.0), level=level) for level in (0.5, 0.9))
    assert 0 < narrow < wide == pytest.approx(3.2897, abs=1e-4)
