from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from _pictures import arrays, write_idx
from evenkeel.errors import DataError
from evenkeel.kinds.image.sources import lists_images, path_list, source_of

PICTURE = Image.new("L", (4, 4))


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (np.zeros((2, 4, 4)), "array"),
        (torch.zeros(2, 4, 4), "array"),
        (PICTURE, "pictures"),
        ([PICTURE], "pictures"),
        ((PICTURE, PICTURE), "pictures"),
        ([np.zeros((4, 4)), np.zeros((5, 5))], "pictures"),
        ("folder", "files"),
        (["a.png", Path("b.png")], "files"),
        (("a.png", "b.png"), "files"),
        (np.array(["a.png"]), "files"),
        (pl.Series(["a.png"]), "files"),
        (pl.DataFrame({"photo": ["a.png"]}), "files"),
    ],
)
def test_what_came_is_told_apart(data, form):
    source = source_of(data)
    assert source.form == form and source.answers is None
    if not isinstance(data, tuple):
        both = source_of((data, [1, 2]))
        assert both.form == form and both.answers == [1, 2]


def test_idx_files_bring_their_labels(tmp_path):
    images, _ = arrays(2)
    write_idx(tmp_path, "train", images, np.arange(6))
    source = source_of(tmp_path)
    assert source.form == "array" and source.idx.name == "train-images-idx3-ubyte.gz"
    assert (source.images == images).all() and source.answers.tolist() == [*range(6)]
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    assert source_of(tmp_path).answers is None


def test_an_empty_list_is_refused():
    with pytest.raises(DataError, match="expected at least one image, got an empty list"):
        source_of(([], []))


def test_names_are_images_where_one_of_them_is_there(tmp_path):
    PICTURE.save(tmp_path / "a.png")
    there = str(tmp_path / "a.png")
    assert lists_images([there]) and lists_images(np.array([there, "gone.png"])) and lists_images([PICTURE])
    assert not any(map(lists_images, ([there, "a.txt"], ["gone.png"], [], [1], [PICTURE, 1], there)))


def test_only_lists_of_names_are_such():
    assert path_list(["a", Path("b")]) == ["a", Path("b")]
    assert [path_list(each) for each in ([], [1], "a", np.zeros(3), pl.DataFrame({"a": ["b"]}))] == [None] * 5
