import numpy as np
import pytest
import torch
from sklearn.metrics import mean_squared_error

from evenkeel.errors import ShapeError
from evenkeel.metrics import reconstruction


def plain(prediction, target):
    """Element by element."""
    return sum((float(p) - float(t)) ** 2 for p, t in zip(prediction, target, strict=True)) / len(target)


def test_every_element_counts_alike_as_in_scikit_learn():
    left, right = np.random.default_rng(0).normal(size=(2, 10, 4))
    weight = np.arange(10.0)
    assert reconstruction(left, right, weight) == pytest.approx(mean_squared_error(right, left, sample_weight=weight))
    shaped = reconstruction(left.reshape(10, 2, 2), right.reshape(10, 2, 2), weight)
    assert shaped == pytest.approx(reconstruction(left, right, weight))


def test_another_shape_is_refused():
    with pytest.raises(ShapeError, match="one shape"):
        reconstruction(torch.zeros(2, 3), torch.zeros(2))
