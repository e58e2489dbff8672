import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from evenkeel.metrics import auc


def plain(probability, target):
    """The definition: over all pairs of a positive and a negative row, one class against the rest."""
    found = []
    for label in range(probability.shape[1]):
        high, low = probability[target == label, label], probability[target != label, label]
        gap = high.unsqueeze(1) - low.unsqueeze(0)
        found.append(float(((gap > 0).double() + 0.5 * (gap == 0).double()).mean()))
    return sum(found) / len(found)


def test_two_classes_and_labels_agree_with_scikit_learn():
    score, labels = torch.rand(30, 2), torch.randint(2, (30, 2))
    assert auc(score[:, 0], labels[:, 0]) == pytest.approx(roc_auc_score(labels[:, 0], score[:, 0]))
    assert auc(score, labels) == pytest.approx(roc_auc_score(labels.numpy(), score.numpy(), average="macro"))
    assert auc(score.softmax(1), labels[:, 0]) == pytest.approx(roc_auc_score(labels[:, 0], score.softmax(1)[:, 1]))


def test_one_class_only_has_no_auc_and_absent_classes_are_left_out():
    assert auc(np.array([0.1, 0.2]), np.array([1, 1])) is None
    probability = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1]])
    assert auc(probability, np.array([0, 1])) == 1
