import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from evenkeel.data.dataset import SplitRequest
from evenkeel.heads.for_task import head_for
from evenkeel.heads.plain_models import OF_CLASSES
from evenkeel.kinds import PARTS
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.baselines import NearestNeighbours
from evenkeel.kinds.sequence.baselines import BASELINES, MOST_LABELS, drawn, flat_steps

KIND = PARTS["sequence"]


def dataset(sequences, answers):
    return KIND.prepare((sequences, answers), DataRequest(split=SplitRequest(test=0.0), options=KIND.options())).dataset


def test_the_nearest_is_scikit_learns():
    generator = np.random.default_rng(0)
    known, asked, target = generator.normal(size=(50, 4)), generator.normal(size=(30, 4)), np.arange(50) % 3 * 2
    theirs = KNeighborsClassifier(1).fit(known, target)
    ours = NearestNeighbours(OF_CLASSES, 1).fit(known, target, sample_weight=np.ones(50))
    nearest = torch.cdist(torch.from_numpy(asked), torch.from_numpy(known)).argmin(1)
    np.testing.assert_array_equal(ours.predict(asked), target[nearest])
    np.testing.assert_array_equal(ours.predict(asked), theirs.predict(asked))
    np.testing.assert_array_equal(ours.predict_proba(asked), theirs.predict_proba(asked))


def test_drawn_out_is_interpolation_of_the_real_steps():
    values, lengths = torch.randn(3, 6, 2), torch.tensor([6, 3, 1])
    found = drawn(values, lengths, 11)
    for row, length in enumerate(lengths.tolist()):
        for channel in range(2):
            expected = np.interp(np.linspace(0, length - 1, 11), np.arange(length), values[row, :length, channel])
            np.testing.assert_allclose(found[row, :, channel], expected, atol=1e-5)


def test_equal_steps_stand_side_by_side():
    X = np.random.default_rng(0).normal(size=(12, 5, 2))
    found = flat_steps(dataset(X, np.arange(12) % 2), torch.tensor([3, 1]))
    np.testing.assert_allclose(found, ((X - X.mean((0, 1))) / X.std((0, 1)))[[3, 1]].reshape(2, 10), atol=0.3)


@pytest.mark.parametrize("equal", [True, False])
def test_of_steps_each_stands_beside_the_one_before(equal):
    lengths = [4] * 12 if equal else [4, 2] * 6
    data = dataset([np.random.randn(n, 1) for n in lengths], [np.arange(n) % 2 for n in lengths])
    found, values = flat_steps(data, torch.tensor([0, 1])), data.inputs["values"].index_select(0, torch.tensor([0, 1]))
    assert found.shape == (sum(lengths[:2]), 2)
    np.testing.assert_array_equal(found[:4, 0], values[0, :, 0])
    np.testing.assert_array_equal(found[:5, 1], [0, *values[0, :3, 0], 0])


@pytest.mark.parametrize("equal", [True, False])
def test_they_learn_what_is_easy(equal):
    generator = np.random.default_rng(0)
    classes = np.arange(80) % 2
    sequences = [generator.normal(2 * c, 1, (8 if equal else int(generator.integers(5, 12)), 1)) for c in classes]
    data, rows = dataset(sequences, classes), torch.arange(80)
    for rival in BASELINES.values():
        found = rival(head_for("single-label"), data, rows[:60], rows[60:], 0)
        assert (found.argmax(1) == classes[60:]).mean() > 0.8


def test_numbers_and_what_they_do_not_answer():
    X = np.random.default_rng(0).normal(size=(40, 3, 1))
    rows = torch.arange(40)
    numbers = dataset(X, X.mean((1, 2)))
    assert BASELINES["nearest neighbour"](head_for("regression"), numbers, rows, rows, 0) == pytest.approx(
        X.mean((1, 2))
    )
    labels = dataset(X, (X[:, :, 0] > 0).astype(int)[:, :2])
    assert BASELINES["nearest neighbour"](head_for("multi-label"), labels, rows, rows, 0) is None
    assert BASELINES["linear"](head_for("multi-label"), labels, rows, rows, 0).shape == (40, 2)
    many = dataset(X, (np.random.default_rng(0).random((40, MOST_LABELS + 1)) > 0.5).astype(int))
    assert BASELINES["linear"](head_for("multi-label"), many, rows, rows, 0) is None
