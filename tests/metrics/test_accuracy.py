import numpy as np
import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.metrics import accuracy


def plain(prediction, target):
    return float(np.mean([int(row.argmax()) == int(true) for row, true in zip(prediction, target, strict=True)]))


def test_predicted_classes_do_as_well():
    assert accuracy(np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2])) == 0.75


def test_other_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"\(row, label\) or of the shape of the target \(3,\), got \(2,\)"):
        accuracy(torch.zeros(2), torch.zeros(3))
