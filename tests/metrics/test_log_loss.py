import math

import numpy as np
import pytest
import sklearn.metrics
import torch

from evenkeel.metrics import log_loss


def plain(probability, target):
    return sklearn.metrics.log_loss(target.numpy(), probability.numpy(), labels=[0, 1, 2])


def test_labels_are_averaged():
    probability, truth = torch.tensor([[0.9, 0.2]]).double(), torch.tensor([[1, 0]])
    assert log_loss(probability, truth) == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_one_sure_error_stays_finite(kind):
    found = log_loss(np.array([[1.0, 0.0]], dtype=kind), np.array([1]))
    assert found == pytest.approx(-math.log(np.finfo(kind).eps))
