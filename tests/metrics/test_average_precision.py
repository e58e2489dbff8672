import numpy as np
import torch

from evenkeel.metrics import average_precision


def plain(probability, target):
    """Precision at each positive row, from the surest down, averaged."""
    found = []
    for label in range(probability.shape[1]):
        order = probability[:, label].argsort(descending=True)
        hit = (target[order] == label).double()
        precision = hit.cumsum(0) / torch.arange(1, len(hit) + 1)
        found.append(float((precision * hit).sum() / hit.sum()))
    return sum(found) / len(found)


def test_one_class_only_has_no_answer():
    assert average_precision(np.array([0.1, 0.2]), np.array([0, 0])) is None


def test_a_perfect_order_gives_one():
    assert average_precision(np.array([0.1, 0.9, 0.2]), np.array([0, 1, 0])) == 1
