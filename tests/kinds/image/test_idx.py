import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from evenkeel.errors import DataError
from evenkeel.kinds.image.idx import images_in, is_idx, labels_beside, labels_expected, read_idx


def idx_bytes(values, kind=8):
    """A file as its format is defined."""
    types = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
    sizes = b"".join(struct.pack(">I", size) for size in values.shape)
    return bytes([0, 0, kind, values.ndim]) + sizes + values.astype(types[kind]).tobytes()


@pytest.mark.parametrize("kind", [8, 9, 11, 12, 13, 14])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_every_type_comes_back(kind, pack, tmp_path):
    values = np.arange(24).reshape(2, 3, 4)
    path = tmp_path / "x-idx3-ubyte"
    path.write_bytes(pack(idx_bytes(values, kind)))
    array = read_idx(path)
    assert array.dtype.isnative and array.shape == (2, 3, 4)
    assert (array == values).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "does not begin as an IDX file"),
        (b"PK\x03\x04 zip", "does not begin as an IDX file"),
        (b"\0\0\x07\x01\0\0\0\1\0", "does not begin as an IDX file"),
        (idx_bytes(np.zeros((2, 3, 4)))[:-1], "should hold 24 values by its header"),
        (idx_bytes(np.zeros((2, 3, 4))) + b"\0", "should hold 24 values by its header"),
        (idx_bytes(np.zeros((2, 3, 4)))[:10], "cut off or damaged"),
        (gzip.compress(idx_bytes(np.zeros((2, 3, 4))), mtime=0)[:-9], "cannot be read"),
    ],
)
def test_another_format_or_a_damaged_file_is_named(content, message, tmp_path):
    path = tmp_path / "x.idx"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_idx(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_idx(tmp_path / "x.idx")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train-images-idx3-ubyte", True),
        ("train-images.idx3-ubyte.gz", True),
        ("digits.idx", True),
        ("digits.idx.gz", True),
        ("index.csv", False),
        ("idx3", False),
    ],
)
def test_the_ending_tells(name, expected):
    assert is_idx(Path(name)) is expected


def files(folder, *names):
    for name in names:
        (folder / name).write_bytes(idx_bytes(np.zeros((2, 3, 4))))


@pytest.mark.parametrize("ending", ["-images-idx3-ubyte", "-images.idx3-ubyte"])
@pytest.mark.parametrize("gz", ["", ".gz"])
def test_labels_lie_beside_their_images_gzipped_or_not(ending, gz, tmp_path):
    labels = "t10k" + ending.replace("images", "labels").replace("idx3", "idx1") + gz
    files(tmp_path, "t10k" + ending, labels)
    assert labels_beside(tmp_path / ("t10k" + ending)) == tmp_path / labels
    assert labels_beside(tmp_path / f"train{ending}") is None
    assert labels_beside(tmp_path / "digits.idx") is None


def test_of_a_folder_the_training_images_are_taken(tmp_path):
    assert images_in(tmp_path) is None
    names = [f"{part}-{what}-ubyte" for part in ("t10k", "train") for what in ("images-idx3", "labels-idx1")]
    files(tmp_path, *names, "train-images-idx3-ubyte.gz")
    assert images_in(tmp_path).name.startswith("train-images")


def test_two_sets_in_a_folder_must_be_told_apart(tmp_path):
    names = [f"{part}-{what}-ubyte" for part in ("a", "b") for what in ("images-idx3", "labels-idx1")]
    files(tmp_path, *names)
    with pytest.raises(DataError, match="several sets of images: a-images-idx3-ubyte, b-images"):
        images_in(tmp_path)


def test_images_without_labels_are_found_and_the_name_of_these_is_told(tmp_path):
    files(tmp_path, "train-images.idx3-ubyte.gz")
    assert images_in(tmp_path) == tmp_path / "train-images.idx3-ubyte.gz"
    assert labels_expected(images_in(tmp_path)) == "train-labels.idx1-ubyte, gzipped or not"
    assert labels_expected(Path("digits.idx")).startswith("X-labels-idx1-ubyte beside X-images")
    files(tmp_path, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    assert images_in(tmp_path).name.startswith("t10k"), "those with labels go first"
