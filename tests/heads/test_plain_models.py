"""The models of scikit-learn that stand beside a head."""

import numpy as np
import pytest

from evenkeel import heads
from evenkeel.heads.plain_models import MOST_CLASSES, OF_CLASSES, OF_LABELS, OF_NUMBERS, OF_RATES

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(60, 3))
TARGETS = {
    "number": X[:, 0],
    "rate": np.exp(X[:, 0]),
    "class": np.where(X[:, 0] > 0, 2, 0),
    "labels": (X[:, :2] > 0).astype(float),
}
MODELS = {"number": OF_NUMBERS, "rate": OF_RATES, "class": OF_CLASSES, "labels": OF_LABELS}


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("name", ["linear", "trees"])
def test_each_is_fitted_and_predicts_what_metrics_take(kind, name):
    plain, target = MODELS[kind], TARGETS[kind]
    model = plain.linear() if name == "linear" else plain.trees(3, random_state=0)
    predicted = plain.fit(model, X, target, None, 3 if kind == "class" else 2)(X)
    assert predicted.shape == {"class": (60, 3), "labels": (60, 2)}.get(kind, (60,))
    if kind == "class":
        assert (predicted[:, 1] == 0).all() and np.allclose(predicted.sum(1), 1), "a class that no row has"


@pytest.mark.parametrize("kind", MODELS)
def test_the_nearest_row_is_the_row_itself(kind):
    np.testing.assert_array_equal(MODELS[kind].neighbours(1).fit(X, TARGETS[kind]).predict(X), TARGETS[kind])


def test_a_label_with_one_value_is_predicted_by_its_rate():
    target = np.stack([TARGETS["labels"][:, 0], np.ones(60)], axis=1)
    predicted = OF_LABELS.fit(OF_LABELS.linear(), X, target, None, 2)(X)
    assert (predicted[:, 1] == 1).all() and 0 < predicted[0, 0] < 1


def test_trees_leave_many_classes_out():
    assert OF_CLASSES.trees(MOST_CLASSES + 1) is None and OF_CLASSES.trees(MOST_CLASSES) is not None
    assert OF_LABELS.naive_bayes() is None and OF_CLASSES.naive_bayes() is not None


def test_heads_of_numbers_classes_and_labels_have_them():
    assert {part.target for part in heads.PARTS.values() if part.plain} == {"number", "class", "labels"}
