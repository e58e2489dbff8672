import numpy as np
import pytest
import torch
from pydantic import ValidationError

from evenkeel.kinds.image.files import ImageHeader
from evenkeel.kinds.image.schema import ImageOptions, ImageSchema, fit_images, form_of


def headers(*sizes, channels=1):
    return [ImageHeader(height=height, width=width, channels=channels) for height, width in sizes]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(28, 28)] * 3, (28, 28)),
        ([(224, 100)] * 2, (224, 100)),
        ([(448, 448)] * 2, (128, 128)),
        ([(300, 600)] * 2, (64, 128)),
        ([(20, 30), (30, 20), (25, 25)], (30, 30)),
        ([(2000, 3000), (3000, 2000)], (128, 128)),
    ],
)
def test_size_of_all(sizes, expected):
    form, notes = form_of(headers(*sizes), ImageOptions())
    assert (form.height, form.width) == expected
    assert bool(notes) == (set(sizes) != {expected})
    form, _ = form_of(headers(*sizes), ImageOptions(pixels=16, aspect="crop"))
    assert (form.height, form.width, form.aspect) == (16, 16, "crop")


def test_channels_are_those_of_the_richest_file_and_that_is_said():
    mixed = [*headers((8, 8)), *headers((8, 8), (8, 8), channels=3)]
    form, notes = form_of(mixed, ImageOptions())
    assert form.channels == 3
    assert notes == ("Images differ in their channels (2 RGB, 1 grey); all are read as RGB.",)


def test_another_size_is_said_with_what_happens_to_the_rest():
    _, notes = form_of(headers((8, 8), (8, 9)), ImageOptions())
    assert notes == ("Images of 2 different sizes are brought to 9 x 9, padded where the aspect differs.",)
    _, notes = form_of(headers((300, 400)), ImageOptions(aspect="crop"))
    assert notes == ("Images of 300 x 400 pixels are brought to 96 x 128, cropped where the aspect differs.",)


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
def test_held_out_rows_teach_nothing(kind):
    pixels = torch.randint(0, 200, (20, 3, 6, 5)).to(kind)
    train = np.arange(12)
    other = pixels.clone()
    other[12:] = 255
    schemas = [fit_images(each, train, ImageOptions(), fold=2, column="photo") for each in (pixels, other)]
    assert schemas[0] == schemas[1]
    schema = schemas[0]
    assert (schema.channels, schema.height, schema.width, schema.fold, schema.images) == (3, 6, 5, 2, "photo")
    twin = pixels[:12].double().transpose(0, 1).flatten(1)
    assert schema.mean == pytest.approx(twin.mean(1).tolist())
    whole = kind == torch.uint8
    assert (schema.values, schema.low, schema.high) == (
        ("bytes", 0.0, 255.0) if whole else ("numbers", float(pixels[:12].min()), float(pixels[:12].max()))
    )


def test_the_schema_comes_back_from_json():
    schema = fit_images(torch.rand(4, 1, 8, 8), np.arange(3), ImageOptions())
    assert ImageSchema.model_validate_json(schema.model_dump_json()) == schema
    assert schema.columns[0].examples == ("8 x 8 pixels, grey",)
    assert (schema.form.height, schema.form.channels) == (8, 1)


@pytest.mark.parametrize("options", [{"pixels": 2}, {"aspect": "stretch"}, {"flip": "always"}, {"fold": 0}])
def test_options_without_sense_are_refused(options):
    with pytest.raises(ValidationError):
        ImageOptions(**options)


def test_every_option_is_described():
    assert all(field.description for field in ImageOptions.model_fields.values())


def test_what_is_off_may_be_said_in_two_ways():
    assert ImageOptions(augment=None, cache=None) == ImageOptions(augment="none", cache="none")
