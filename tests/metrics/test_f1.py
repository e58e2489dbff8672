import numpy as np
import pytest
import sklearn.metrics
import torch

from evenkeel.metrics import f1


def plain(probability, target):
    return sklearn.metrics.f1_score(target.numpy(), probability.argmax(1).numpy(), average="macro")


@pytest.mark.parametrize("average", ["macro", "micro"])
def test_labels_agree_with_scikit_learn(average):
    probability, truth = torch.rand(30, 3), torch.randint(2, (30, 3))
    expected = sklearn.metrics.f1_score(truth.numpy(), (probability > 0.5).numpy(), average=average)
    assert f1(probability, truth, average=average) == pytest.approx(expected)


def test_a_class_neither_said_nor_there_counts_as_zero():
    assert f1(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 0])) == 0.5
