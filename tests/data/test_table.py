"""Whatever holds a table gives the same frame, and what does not is named."""

import gzip
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from evenkeel.data.table import SAMPLES, SUFFIXES, read_table
from evenkeel.errors import DataError

FRAME = pl.DataFrame({"size": [1.5, 2.5, 4.0], "rooms": [1, 2, 3], "town": ["Bonn", None, "Trier"]})
PAIRS = np.array([[1.5, 2.0], [3.5, 4.0], [5.5, 6.0]])


def as_file(path):
    """The frame as a file of that ending."""
    if path.name.endswith((".parquet", ".pq")):
        FRAME.write_parquet(path)
        return path
    text = FRAME.write_csv(separator="\t" if ".tsv" in path.name else ",").encode()
    path.write_bytes(gzip.compress(text) if path.name.endswith(".gz") else text)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_files_of_every_ending(tmp_path, suffix, kind):
    assert read_table(kind(as_file(tmp_path / f"houses{suffix}"))).equals(FRAME)


def test_endings_in_capitals(tmp_path):
    assert read_table(as_file(tmp_path / "HOUSES.CSV")).equals(FRAME)


def test_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    as_file(tmp_path / "houses.csv")
    assert read_table("~/houses.csv").equals(FRAME)


@pytest.mark.parametrize(
    "source",
    [
        FRAME,
        FRAME.lazy(),
        FRAME.to_dict(as_series=False),
        FRAME.to_dict(),
        FRAME.to_dicts(),
        FRAME.to_pandas(),
        FRAME.to_arrow(),
    ],
    ids=["polars", "lazy", "lists", "series", "rows", "pandas", "arrow"],
)
def test_frames_and_mappings(source):
    assert read_table(source).equals(FRAME)


@pytest.mark.parametrize(
    "source",
    [
        PAIRS,
        PAIRS.tolist(),
        PAIRS.astype(np.float32),
        PAIRS.astype(object),
        np.asfortranarray(PAIRS)[::1],
        torch.tensor(PAIRS),
        torch.tensor(PAIRS, requires_grad=True),
        torch.tensor(PAIRS).bfloat16(),
        np.vstack([PAIRS, PAIRS])[::-1][:3][::-1],
    ],
    ids=["array", "lists", "float32", "object", "columns", "tensor", "gradient", "bfloat16", "strided"],
)
def test_arrays_have_numbered_columns(source):
    frame = read_table(source)
    assert frame.columns == ["x0", "x1"]
    assert frame.cast(pl.Float64).equals(pl.DataFrame(PAIRS, schema=["x0", "x1"]))


def test_arrays_take_the_names_of_training():
    assert read_table(PAIRS, ("size", "rooms")).columns == ["size", "rooms"]


def test_reading_changes_nothing():
    frame, array = FRAME.clone(), PAIRS.copy()
    read_table(frame)
    read_table(array)
    assert frame.equals(FRAME)
    assert (array == PAIRS).all()


def test_read_only_memory():
    array = PAIRS.copy()
    array.flags.writeable = False
    assert read_table(array).shape == (3, 2)


@pytest.mark.parametrize(
    "values", [[1, "x", None, 2.5], [1.5, 2, None, 3]], ids=["numbers and words", "numbers of both kinds"]
)
@pytest.mark.parametrize("make", [dict, pd.DataFrame, lambda columns: pd.DataFrame(columns, dtype=object)])
def test_mixed_python_values(make, values):
    frame = read_table(make({"mixed": values, "other": [1, 2, 3, 4]}))["mixed"]
    assert frame.dtype == (pl.String if "x" in values else pl.Float64)
    # A pandas column of floats writes its missing value as NaN, which `tidy` reads as missing.
    assert frame[2] in (None, "NaN")


def test_one_row_as_a_mapping():
    assert read_table({"size": 1.5, "town": "Bonn"}).rows() == [(1.5, "Bonn")]


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(name):
    frame = read_table(f"sample:{name}")
    assert frame.columns[-1] == "target"
    assert frame.height > 100
    assert frame.null_count().sum_horizontal().item() == 0


def test_samples_have_words_for_classes():
    assert set(read_table("sample:wine")["target"].unique()) == {"class_0", "class_1", "class_2"}
    assert set(read_table("sample:breast-cancer")["target"].unique()) == {"malignant", "benign"}
    assert read_table("sample:digits")["target"].n_unique() == 10
    assert read_table("sample:diabetes")["target"].dtype.is_numeric()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("sample:wines", "no sample is called 'wines'; there are: diabetes, digits, breast-cancer, wine"),
        (np.zeros(5), r"expected an array of shape \(rows, columns\), got shape \(5,\); try X.reshape"),
        (np.zeros((5, 3, 2)), r"got shape \(5, 3, 2\)"),
        (torch.tensor(1.0), r"got shape \(\)"),
        ([[1, 2], [3]], "expected rows of equal length, got lists of different lengths"),
        ([], r"got shape \(0,\)"),
        ({"a": [1, 2], "b": [1, 2, 3]}, "expected columns of equal length: .*'b' \\(3\\).*'a' \\(2\\)"),
        (pd.DataFrame(np.ones((3, 2)), columns=["a", "a"]), "'a' 2 times; give every column a name of its own"),
        (pd.DataFrame({"a": np.ones(3) + 1j}), "this frame cannot be converted"),
        (pd.Series([1, 2]), r"expected a path, a polars or pandas frame, or arrays \(X, y\); got Series"),
        (None, "got NoneType. Try a polars.DataFrame or a NumPy array"),
        (5, "got int"),
        ({1, 2}, "got set"),
        (b"houses.csv", "got bytes"),
    ],
)
def test_what_is_no_table_is_named(source, message):
    with pytest.raises(DataError, match=message):
        read_table(source)


def test_arrays_of_another_width_than_training():
    with pytest.raises(DataError, match=r"expected 3 columns \(a, b, c, ...\), got 2"):
        read_table(PAIRS, ("a", "b", "c"))


def test_a_missing_file_names_its_neighbours(tmp_path):
    as_file(tmp_path / "houses.csv")
    with pytest.raises(DataError, match=r"no such file: .*hauses.csv; that folder holds houses.csv$"):
        read_table(tmp_path / "hauses.csv")
    with pytest.raises(DataError, match=r"no such file: .*nowhere/hauses.csv$"):
        read_table(tmp_path / "nowhere" / "hauses.csv")


def test_a_folder(tmp_path):
    with pytest.raises(DataError, match=r"is a folder; expected one table file \(\.csv, "):
        read_table(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", r"a.csv is empty; expected a table with a header line and rows"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), r"is empty; expected a table with a header line and rows"),
        ("a.csv", b"size,price\n", r"a.csv has 0 rows and 2 columns; expected at least one of each"),
        (
            "a.csv.gz",
            gzip.compress(b"a,b\n1,2\n" * 500, mtime=0)[:-9],
            r"could not be read as a table: Compressed file ended",
        ),
        (
            "a.csv.gz",
            gzip.compress(b"a,b\n1,2\n", mtime=0)[:10] + b"\x07" * 30,
            r"could not be read as a table: Error -3",
        ),
        ("a.parquet", b"size,price\n1,2\n", r"could not be read as a table: .*parquet"),
        ("a.xlsx", b"PK", r"a.xlsx: expected a file ending in .csv, .*; save it as CSV or pass a data frame"),
        ("no_ending", b"a,b\n1,2\n", r"no_ending: expected a file ending in"),
    ],
)
def test_files_that_cannot_be_read(write, name, content, message):
    with pytest.raises(DataError, match=message):
        read_table(write(name, content))


@pytest.mark.parametrize("source", ["sample:nothing", "no_such_file.csv"])
def test_messages_are_one_line(source):
    with pytest.raises(DataError) as raised:
        read_table(source)
    assert not re.search(r"\n", str(raised.value))
