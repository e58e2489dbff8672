import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.metrics.class_scores import labelled, mean_over_labels


def test_classes_become_columns_and_labels_stay():
    classes = labelled(torch.rand(2, 3), torch.tensor([2, 0]))
    assert classes.truth.tolist() == [[0, 0, 1], [1, 0, 0]] and classes.exclusive
    labels = labelled(torch.rand(2), torch.tensor([1, 0]))
    assert labels.truth.tolist() == [[1], [0]] and not labels.exclusive


def test_labels_without_both_outcomes_are_left_out():
    given = labelled(torch.rand(3, 2), torch.tensor([[1, 0], [1, 1], [1, 1]]))
    asked = []
    assert mean_over_labels(given, None, lambda score, truth, weight: asked.append(truth) or 0.5) == 0.5
    assert len(asked) == 1 and asked[0].tolist() == [0, 1, 1]
    assert mean_over_labels(given, torch.tensor([0.0, 1, 1]), lambda *_: 0.5) is None


def test_messages():
    with pytest.raises(ShapeError, match=r"got \(2, 3\) against \(3,\); try one column per class"):
        labelled(torch.rand(2, 3), torch.zeros(3))
    with pytest.raises(ShapeError, match=r"whole numbers 0..1 .* got -1..2"):
        labelled(torch.rand(2, 2), torch.tensor([-1, 2]))
