import numpy as np
import pytest
import torch

from evenkeel.errors import DataError
from evenkeel.kinds.image.arrays import as_pixels, channel_moments, looks_like_images, whole_bytes


@pytest.mark.parametrize(
    ("shape", "kind", "expected"),
    [
        ((5, 8, 8), np.uint8, True),
        ((5, 8, 8), np.float32, False),
        ((5, 8, 8, 3), np.float32, True),
        ((5, 3, 8, 8), np.uint8, True),
        ((5, 64), np.uint8, False),
        ((2, 5, 8, 8, 3), np.uint8, False),
    ],
)
def test_bytes_of_three_axes_and_anything_of_four_are_images(shape, kind, expected):
    array = np.zeros(shape, kind)
    assert looks_like_images(array) is expected
    assert looks_like_images(torch.from_numpy(array)) is expected
    assert looks_like_images(array.tolist()) is False


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5, 8, 9), (5, 1, 8, 9)),
        ((5, 8, 9, 1), (5, 1, 8, 9)),
        ((5, 8, 9, 3), (5, 3, 8, 9)),
        ((5, 4, 8, 9), (5, 4, 8, 9)),
        ((5, 12, 32, 33), (5, 12, 32, 33)),
    ],
)
def test_the_shorter_axis_is_that_of_channels(shape, expected):
    values = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    pixels = as_pixels(values)
    assert pixels.shape == expected and pixels.dtype == torch.uint8 and pixels.is_contiguous()
    moved = values if len(shape) < 4 or shape == expected else values.transpose(0, 3, 1, 2)
    assert (pixels.numpy().reshape(moved.shape) == moved).all()


def test_where_both_axes_are_as_long_tensors_have_channels_first_and_arrays_last():
    values = np.arange(3 * 3 * 3).reshape(1, 3, 3, 3)
    assert (as_pixels(values).numpy() == values.transpose(0, 3, 1, 2)).all()
    assert (as_pixels(torch.from_numpy(values)).numpy() == values).all()


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (np.array([0, 255], np.int64), torch.uint8, [0, 255]),
        (np.array([0, 65535], np.uint16), torch.float32, [0, 65535]),
        (np.array([False, True]), torch.uint8, [0, 255]),
        (np.array([-1, 4], np.int32), torch.float32, [-1, 4]),
        (np.array([0.25, 2.0]), torch.float32, [0.25, 2.0]),
    ],
)
def test_nothing_is_lost_by_the_type(values, kind, expected):
    pixels = as_pixels(values.reshape(1, 1, 2))
    assert pixels.dtype == kind and pixels.flatten().tolist() == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((4, 4)), r"got shape \(4, 4\); a single image is X\[None\]"),
        (np.zeros((0, 4, 4)), r"there is no image: got an array of shape \(0, 4, 4\)"),
        (np.zeros((2, 20, 30, 20)), "at most 16 channels"),
        (np.full((2, 4, 4), "x"), "images as numbers"),
        (np.array([[[1.0, 2.0]], [[np.nan, 1.0]]]), "image 1 holds values that are not finite"),
        ([np.zeros((4, 4)), np.zeros((5, 5))], "images of one size"),
    ],
)
def test_what_is_no_image_is_refused(data, message):
    with pytest.raises(DataError, match=message):
        as_pixels(data)


def test_whole_numbers_are_bytes_and_shares_are_not():
    assert whole_bytes(torch.tensor([0.0, 17.0])).tolist() == [0, 17]
    assert whole_bytes(torch.tensor([7], dtype=torch.uint8)).tolist() == [7]
    for other in ([0.0, 0.5], [0.0, 1.0], [-1.0, 5.0], [0.0, 300.0]):
        assert whole_bytes(torch.tensor(other)) is None


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
def test_moments_are_those_of_the_rows_alone(kind, monkeypatch):
    monkeypatch.setattr("evenkeel.kinds.image.arrays.ROWS_AT_ONCE", 3)
    pixels = torch.randint(0, 256, (10, 2, 4, 5)).to(kind)
    rows = torch.tensor([0, 2, 3, 7, 9])
    mean, spread = channel_moments(pixels, rows)
    twin = pixels[rows].double().transpose(0, 1).flatten(1)
    assert mean == pytest.approx(twin.mean(1).tolist(), rel=1e-12)
    assert spread == pytest.approx(twin.std(1, correction=0).tolist(), rel=1e-9)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_channel_that_never_varies_is_not_scaled(value):
    pixels = torch.full((4, 1, 3, 3), value, dtype=torch.uint8)
    assert channel_moments(pixels, torch.arange(4)) == ([float(value)], [1.0])
