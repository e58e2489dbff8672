from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from evenkeel.kinds.image.side import IMAGE_SIDE
from evenkeel.kinds.side import SideRequest

PLAIN = SideRequest(options={"cache": "none", "augment": "none", "flip": "horizontal", "towers": "two"})


def test_files_are_decoded_once_and_new_ones_are_read_where_they_lie(tmp_path):
    for place in range(2):
        Image.new("L", (8, 8), 100 * place).save(tmp_path / f"{place}.png")
    paths = pl.DataFrame({"picture": ["0.png", "1.png"]})
    assert IMAGE_SIDE.recognises(paths, tmp_path) and not IMAGE_SIDE.recognises(paths, tmp_path / "elsewhere")
    loaded = IMAGE_SIDE.load(paths, tmp_path, PLAIN)
    schema = IMAGE_SIDE.fit(loaded.raw, np.arange(2), PLAIN)
    assert loaded.rows.tolist() == [0, 1] and schema.mean == (50.0,)
    assert torch.equal(IMAGE_SIDE.encode(schema, paths, tmp_path)["pixels"], loaded.raw)


def test_files_must_be_decoded_before_anything_is_learned():
    with pytest.raises(TypeError, match="decoded before"):
        IMAGE_SIDE.fit(pl.DataFrame({"picture": ["0.png"]}), np.arange(1), PLAIN)


def test_sides_are_varied_unless_that_is_turned_off():
    assert IMAGE_SIDE.augment(PLAIN) is None
    varied = IMAGE_SIDE.augment(SideRequest(options={"flip": "horizontal"}, seed=3))
    assert varied.flip == "horizontal" and varied.seed == 3


def test_arrays_of_images_are_pixels():
    raw = IMAGE_SIDE.of_array(np.zeros((2, 8, 8), np.uint8))
    assert raw.shape == (2, 1, 8, 8) and IMAGE_SIDE.recognises(raw, Path())
