from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from evenkeel.errors import DataError
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.pair.sides import as_side, load, missing_rows, numbered, reader_of, side_of, take
from evenkeel.kinds.side import SideRequest

IMAGES = SideRequest(options={"cache": "none"})


def painted(folder: Path, count: int = 3) -> list[str]:
    """Small pictures of different shades."""
    for place in range(count):
        Image.new("RGB", (8, 8), (40 * place, 0, 0)).save(folder / f"{place}.png")
    return [f"{place}.png" for place in range(count)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a dog", "a cat"], "text"),
        (pl.Series("words", ["a dog", "a cat"]), "text"),
        (np.array(["a dog", "a cat"]), "text"),
        ([1.0, 2.0], "table"),
        ([[1.0, 2.0], [3.0, 4.0]], "table"),
        (torch.zeros(2, 3), "table"),
        (pl.DataFrame({"a": ["x", "y"], "b": [1, 2]}), "table"),
        ({"a": [1, 2], "b": [1, 2]}, "table"),
        (np.zeros((2, 8, 8), np.uint8), "image"),
        (torch.zeros(2, 3, 8, 8), "image"),
        ([np.zeros((8, 8), np.uint8)] * 2, "image"),
    ],
)
def test_what_a_side_holds_is_seen_from_its_values(values, kind):
    raw = as_side(values, "left")
    assert len(raw) == 2 and side_of(raw, Path()) == kind


def test_paths_are_images_only_where_files_are(tmp_path):
    names = painted(tmp_path)
    raw = as_side(names, "left")
    assert side_of(raw, tmp_path) == "image"
    assert side_of(raw, tmp_path / "elsewhere") == "text"
    assert side_of(as_side([tmp_path / name for name in names], "left"), Path()) == "image"


def test_files_that_cannot_be_read_drop_out_by_name(tmp_path):
    names = painted(tmp_path)
    (tmp_path / "1.png").write_bytes(b"broken")
    loaded = load(as_side(names, "left"), tmp_path, IMAGES)
    assert loaded.rows.tolist() == [0, 2] and loaded.raw.shape == (2, 3, 8, 8)
    assert "1 of 3 image files cannot be read: 1.png" in loaded.notes[0]


def test_the_same_content_has_the_same_number():
    assert numbered(pl.DataFrame({"a": [1.0, 1.0, 2.0], "b": ["x", "x", "x"]})).tolist() == [0, 0, 1]
    pixels = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)
    pixels[1, 0, 2, 2] = 1
    assert numbered(pixels).tolist() == [0, 1, 0]


def test_rows_and_gaps():
    frame = pl.DataFrame({"a": [None, 1, None], "b": [None, None, 2]})
    assert missing_rows(frame).tolist() == [True, False, False]
    assert take(frame, np.array([2, 1]))["a"].to_list() == [None, 1]
    assert take(torch.arange(3), np.array([2, 0])).tolist() == [2, 0]
    assert not missing_rows(torch.zeros(3, 1, 4, 4)).any()


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([[1.0, 2.0], [3.0, 5.0], [7.0, 1.0]], {"numbers", "categories"}),
        (["a dog", "a cat", "a dog"], {"pieces", "counts"}),
        (np.random.default_rng(0).integers(0, 255, (3, 8, 8), dtype=np.uint8), {"pixels"}),
    ],
)
def test_each_kind_is_encoded_by_what_its_training_rows_taught(values, names):
    raw = as_side(values, "left")
    kind = KINDS[side_of(raw, Path())]
    schema = kind.side.fit(raw, np.array([0, 1]), IMAGES)
    assert isinstance(schema, kind.schema) and schema.kind == kind.name
    fields = kind.side.encode(schema, raw, Path())
    assert set(fields) == names and {len(field) for field in fields.values()} == {3}
    assert kind.schema.model_validate_json(schema.model_dump_json()) == schema


def test_what_is_no_side():
    with pytest.raises(DataError, match="the left side has no rows; expected texts, paths of images, numbers"):
        as_side([], "left")
    with pytest.raises(DataError, match="expected columns of numbers or words as in training, got an array of shape"):
        reader_of("table").fit(torch.zeros(2, 1, 4, 4), np.arange(2), IMAGES)
