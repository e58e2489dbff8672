"""How often predictions of some confidence are right."""

import numpy as np
import pytest

from evenkeel.heads.reliability import BINS, reliability


def test_reliability_is_the_mean_in_each_bin_that_is_used():
    confidence = np.array([0.05, 0.07, 0.55, 1.0])
    found = reliability(confidence, np.array([True, False, True, True]))
    assert found.confidence == pytest.approx([0.06, 0.55, 1.0]) and found.accuracy == [0.5, 1.0, 1.0]
    assert found.count == [2, 1, 1] and len(found.count) <= BINS
