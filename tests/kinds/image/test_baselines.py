import numpy as np
import pytest
import torch

from _pictures import arrays
from evenkeel.heads import PARTS as HEADS
from evenkeel.heads.plain_models import OF_CLASSES
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.baselines import NearestNeighbours
from evenkeel.kinds.image.baselines import BASELINES, pixel_matrix
from evenkeel.kinds.image.schema import ImageOptions


def dataset(answers=None, images=None):
    default, names = arrays(10)
    images = default if images is None else images
    return (
        KINDS["image"]
        .prepare((images, names if answers is None else answers), DataRequest(options=ImageOptions()))
        .dataset
    )


def test_the_matrix_holds_scaled_pixels(monkeypatch):
    monkeypatch.setattr("evenkeel.kinds.image.baselines.ROWS_AT_ONCE", 7)
    data = dataset()
    rows = torch.arange(len(data))
    twin = data.inputs["pixels"].double().flatten(1)
    twin = (twin - data.schema.mean[0]) / data.schema.spread[0]
    np.testing.assert_allclose(pixel_matrix(data, rows), twin.numpy(), atol=1e-5)


def test_large_images_are_averaged_down():
    images = np.random.default_rng(0).integers(0, 256, (30, 50, 40, 3), dtype=np.uint8)
    matrix = pixel_matrix(dataset(images=images), torch.arange(30))
    assert matrix.shape == (30, 3 * 18 * 18)


@pytest.mark.parametrize("name", BASELINES)
def test_rivals_know_classes_that_a_place_tells(name):
    data = dataset()
    known, queried = torch.from_numpy(data.split.train), torch.from_numpy(data.split.test)
    predicted = BASELINES[name](HEADS["single_label"], data, known, queried, 0)
    assert predicted.shape == (len(queried), 3)
    assert (predicted.argmax(1) == data.target[queried].numpy()).all()


@pytest.mark.parametrize("name", BASELINES)
def test_rivals_learn_numbers_and_labels(name):
    number = np.repeat([1.5, 7.0, 12.0], 10) + np.arange(30) * 0.01
    data = dataset(number)
    rows = torch.arange(len(data))
    predicted = BASELINES[name](HEADS["value"], data, rows, rows, 0)
    assert np.corrcoef(predicted, number)[0, 1] > 0.95
    labels = np.repeat([[1, 0], [0, 1], [1, 1]], 10, axis=0)
    predicted = BASELINES[name](HEADS["multi_label"], dataset(labels), rows, rows, 0)
    assert predicted.shape == (30, 2) and ((predicted > 0.5) == labels).mean() > 0.95


def test_neighbours_are_no_more_than_there_are_rows():
    model = NearestNeighbours(OF_CLASSES, 5).fit(np.eye(3), np.array([0, 1, 0]), sample_weight=np.ones(3))
    assert model.classes_.tolist() == [0, 1]
    assert model.predict_proba(np.eye(3)).tolist() == [[pytest.approx(2 / 3), pytest.approx(1 / 3)]] * 3
