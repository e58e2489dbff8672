import numpy as np
import pytest
import torch

from evenkeel.data.fields import Field
from evenkeel.errors import ShapeError
from evenkeel.kinds.image.schema import ImageOptions, fit_images
from evenkeel.kinds.image.target import FlatImages, as_images, flat_images, target_of


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
def test_images_become_shares_and_come_back(kind):
    pixels = torch.randint(0, 256, (6, 3, 4, 5)).to(kind)
    schema = fit_images(pixels, np.arange(6), ImageOptions())
    field = flat_images(schema, pixels)
    assert isinstance(field, Field) and len(field) == 6
    rows = torch.tensor([4, 1])
    values = field.to("cpu").index_select(0, rows)
    assert values.shape == (2, 60) and values.min() >= 0 and values.max() <= 1
    back = as_images(schema, values)
    assert back.shape == (2, 4, 5, 3) and back.dtype == kind
    torch.testing.assert_close(back, pixels[rows].permute(0, 2, 3, 1))
    assert as_images(schema, values.unflatten(0, (2, 1))).shape == (2, 1, 4, 5, 3)
    assert (target_of(schema).kind, target_of(schema).size) == ("inputs", 60)


def test_images_of_one_value_are_no_division_by_zero():
    assert FlatImages(torch.zeros(2, 1, 2, 2), 0.0, 0.0).index_select(0, torch.arange(2)).abs().max() == 0


def test_bytes_stay_within_their_range():
    schema = fit_images(torch.zeros(2, 1, 1, 2, dtype=torch.uint8), np.arange(2), ImageOptions())
    assert as_images(schema, torch.tensor([-0.3, 1.4])).flatten().tolist() == [0, 255]
    with pytest.raises(ShapeError, match="expected 2 values for each image, got 3"):
        as_images(schema, torch.zeros(3))
