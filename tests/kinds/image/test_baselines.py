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
    found, names = arrays(10)
    images = found if images is None else images
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
    known, asked = torch.from_numpy(data.split.train), torch.from_numpy(data.split.test)
    found = BASELINES[name](HEADS["single_label"], data, known, asked, 0)
    assert found.shape == (len(asked), 3)
    assert (found.argmax(1) == data.target[asked].numpy()).all()


@pytest.mark.parametrize("name", BASELINES)
def test_rivals_learn_numbers_and_labels(name):
    number = np.repeat([1.5, 7.0, 12.0], 10) + np.arange(30) * 0.01
    data = dataset(number)
    rows = torch.arange(len(data))
    found = BASELINES[name](HEADS["value"], data, rows, rows, 0)
    assert np.corrcoef(found, number)[0, 1] > 0.95
    labels = np.repeat([[1, 0], [0, 1], [1, 1]], 10, axis=0)
    found = BASELINES[name](HEADS["multi_label"], dataset(labels), rows, rows, 0)
    assert found.shape == (30, 2) and ((found > 0.5) == labels).mean() > 0.95


def test_neighbours_are_no_more_than_there_are_rows():
    model = NearestNeighbours(OF_CLASSES, 5).fit(np.eye(3), np.array([0, 1, 0]), sample_weight=np.ones(3))
    assert model.classes_.tolist() == [0, 1]
    assert model.predict_proba(np.eye(3)).tolist() == [[pytest.approx(2 / 3), pytest.approx(1 / 3)]] * 3
