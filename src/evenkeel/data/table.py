"""A table from wherever it lies: CSV, TSV (also .gz), Parquet, polars or pandas frames, arrays and tensors.

Whatever comes becomes one polars frame with named columns; everything after this file sees only that.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import torch

from evenkeel.errors import DataError

SAMPLES = ("diabetes", "digits", "breast-cancer", "wine")
SUFFIXES = (".csv", ".tsv", ".txt", ".data", ".csv.gz", ".tsv.gz", ".data.gz", ".parquet", ".pq")
# Rows from which column types are guessed; a later surprise makes the file be read again as text.
ROWS_TO_INFER = 10_000
# The type a year has in a header; such a number does not mean that the header is missing.
YEARS = range(1800, 2200)


def read_table(source: Any, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """One polars frame from a path, `sample:NAME`, a frame, a mapping of columns, or an array (row, column).

    Raises:
        DataError: nothing is there, it is empty, or it cannot be read as a table; the message says what came.
    """
    if isinstance(source, str) and source.startswith("sample:"):
        return _sample(source.removeprefix("sample:"))
    if isinstance(source, (str, Path)):
        return _read_path(Path(source).expanduser())
    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    if isinstance(source, dict):
        return pl.DataFrame(source)
    if isinstance(source, (np.ndarray, torch.Tensor, list)):
        return _from_array(source, columns)
    return _from_frame(source)


def _from_frame(source: Any) -> pl.DataFrame:
    """Any data frame that narwhals knows (pandas, pyarrow, modin, ...)."""
    try:
        return nw.from_native(source, eager_only=True).to_polars()
    except (TypeError, ImportError) as problem:
        raise DataError(
            f"expected a path, a polars or pandas frame, or arrays (X, y); got {type(source).__name__}. "
            "Try a polars.DataFrame or a NumPy array"
        ) from problem


def _from_array(source: Any, columns: Sequence[str] | None) -> pl.DataFrame:
    """An array (row, column) with columns named x0, x1, ..."""
    array = source.detach().cpu().numpy() if isinstance(source, torch.Tensor) else np.asarray(source)
    if array.ndim != 2:
        raise DataError(
            f"expected an array of shape (rows, columns), got shape {array.shape}; try X.reshape(len(X), -1)"
        )
    names = list(columns) if columns is not None else [f"x{index}" for index in range(array.shape[1])]
    if array.dtype == object:
        return pl.DataFrame({name: pl.Series(name, list(array[:, i]), strict=False) for i, name in enumerate(names)})
    return pl.DataFrame({name: pl.Series(name, np.ascontiguousarray(array[:, i])) for i, name in enumerate(names)})


def _sample(name: str) -> pl.DataFrame:
    """One of the data sets that ship inside scikit-learn, with its target in the column `target`."""
    from sklearn import datasets

    loaders = {"diabetes": "load_diabetes", "digits": "load_digits", "breast-cancer": "load_breast_cancer"}
    if name not in SAMPLES:
        raise DataError(f"no sample is called {name!r}; there are: {', '.join(SAMPLES)}")
    bunch = getattr(datasets, loaders.get(name, f"load_{name}"))()
    frame = _from_array(np.asarray(bunch.data), list(bunch.feature_names))
    target = np.asarray(bunch.target)
    if hasattr(bunch, "target_names") and target.dtype.kind in "iu" and name != "digits":
        target = np.asarray(bunch.target_names)[target]
    return frame.with_columns(pl.Series("target", target))


def _read_path(path: Path) -> pl.DataFrame:
    """A file on disk by its ending."""
    if not path.exists():
        near = [other.name for other in path.parent.glob("*") if other.name.endswith(SUFFIXES)][:8]
        beside = f"; that folder holds {', '.join(sorted(near))}" if near else ""
        raise DataError(f"no such file: {path}{beside}")
    if path.is_dir():
        raise DataError(f"{path} is a folder; expected one table file ({', '.join(SUFFIXES[:3])}, .parquet)")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty; expected a table with a header line and rows")
    name = path.name.lower()
    if not name.endswith(SUFFIXES):
        raise DataError(f"{path.name}: expected a file ending in {', '.join(SUFFIXES)}; rename it or pass a data frame")
    try:
        frame = pl.read_parquet(path, memory_map=False) if name.endswith((".parquet", ".pq")) else _read_text(path)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError, EOFError) as problem:
        raise DataError(f"{path} could not be read as a table: {str(problem).splitlines()[0]}") from problem
    if frame.height == 0 or frame.width == 0:
        raise DataError(f"{path} has {frame.height} rows and {frame.width} columns; expected at least one of each")
    return frame


def _read_text(path: Path) -> pl.DataFrame:
    """Delimited text; separator and presence of a header are found from the first lines."""
    opener = gzip.open if path.name.endswith(".gz") else open
    with opener(path, "rb") as file:
        head = file.read(1 << 16)
    rows = _first_rows(head.decode("utf-8", errors="replace"), _separator(head))
    if not rows:
        raise DataError(f"{path} is empty; expected a table with a header line and rows")
    header = _has_header(rows)
    options: dict[str, Any] = {
        "separator": _separator(head),
        "has_header": header,
        "encoding": "utf8-lossy",
        "truncate_ragged_lines": False,
    }
    # A one-row table needs its column names from somewhere: a header, or x1, x2, ... as polars would number them.
    try:
        frame = pl.read_csv(path, infer_schema_length=ROWS_TO_INFER, **options)
    except pl.exceptions.ComputeError:
        # A value far down the file does not fit the guessed type: read everything as text and let `tidy` decide.
        frame = pl.read_csv(path, infer_schema=False, **options)
    return frame.rename(lambda column: column.strip())


def _separator(head: bytes) -> str:
    """The candidate that cuts the first line into the most fields."""
    line = next((text for text in head.decode("utf-8", errors="replace").splitlines() if text.strip()), "")
    best = max(",;\t|", key=line.count)
    return best if line.count(best) else ","


def _first_rows(head: str, separator: str) -> list[list[str]]:
    """Up to 50 complete lines as lists of trimmed cells."""
    lines = [line for line in head.splitlines()[:51] if line.strip()]
    return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=separator)]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _has_header(rows: list[list[str]]) -> bool:
    """A first row that holds a number, other than years, where the rows below hold numbers too, is data."""
    first, below = rows[0], rows[1:]
    numbers = [index for index, cell in enumerate(first) if _is_number(cell)]
    if not numbers or not below:
        return True
    if all(first[index].isdigit() and int(first[index]) in YEARS for index in numbers):
        return True
    return not any(all(_is_number(row[index]) for row in below if index < len(row)) for index in numbers)
