import numpy as np
import pytest
from sklearn.metrics import r2_score

from evenkeel.metrics import r2


def plain(prediction, target):
    return r2_score(target.numpy(), prediction.numpy())


def test_the_mean_explains_nothing_and_the_target_everything():
    target = np.array([1.0, 2.0, 6.0])
    assert r2(np.full(3, 3.0), target) == pytest.approx(0)
    assert r2(target, target) == 1


def test_a_constant_target_has_no_variance_to_explain():
    assert r2(np.array([1.0, 2.0]), np.array([0.1, 0.1])) is None
    assert r2(np.zeros(0), np.zeros(0)) is None
