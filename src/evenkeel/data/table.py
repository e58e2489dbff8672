"""Reading of tables: CSV, TSV (also .gz), Parquet, polars or pandas frames, arrays and tensors.

All of them become one polars frame with named columns; everything after this file reads only that.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import torch

from evenkeel.data.delimited import read_delimited
from evenkeel.errors import DataError

SAMPLES = ("diabetes", "digits", "breast-cancer", "wine")
SUFFIXES = (".csv", ".tsv", ".txt", ".data", ".csv.gz", ".tsv.gz", ".data.gz", ".parquet", ".pq")


def read_table(source: Any, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read one polars frame from a path, `sample:NAME`, a frame, a mapping of columns, or an array (row, column).

    Raises:
        DataError: there is no such file, it is empty, or it cannot be read as a table; the message says what came.

    Example:
        >>> read_table("sample:wine").shape
        (178, 14)
        >>> read_table([[1.5, 2.0], [3.5, 4.0]]).columns
        ['x0', 'x1']
    """
    if isinstance(source, str) and source.startswith("sample:"):
        return _sample(source.removeprefix("sample:"))
    if isinstance(source, (str, Path)):
        return _read_path(Path(source).expanduser())
    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    if isinstance(source, Mapping) or (isinstance(source, list) and source and isinstance(source[0], Mapping)):
        return _from_values(source)
    if isinstance(source, (np.ndarray, torch.Tensor, list)):
        return _from_array(source, columns)
    return _from_frame(source)


def _from_values(source: Any) -> pl.DataFrame:
    """Convert a mapping of columns, or a list of mappings (one for each row)."""
    rows: dict[str, Any] = {"infer_schema_length": None} if isinstance(source, list) else {}
    try:
        return pl.DataFrame(source, strict=False, **rows)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as problem:
        raise DataError(
            f"expected columns of equal length: {str(problem).splitlines()[0]}; try a polars.DataFrame"
        ) from problem


def _from_frame(source: Any) -> pl.DataFrame:
    """Convert any data frame that narwhals knows (pandas, pyarrow, modin, ...)."""
    expected = "expected a path, a polars or pandas frame, or arrays (X, y)"
    try:
        frame = nw.from_native(source, eager_only=True)
    except TypeError as problem:
        raise DataError(
            f"{expected}; got {type(source).__name__}. Try a polars.DataFrame or a NumPy array"
        ) from problem
    except nw.exceptions.DuplicateError as problem:
        raise DataError(f"{' '.join(str(problem).split())}; give every column a name of its own") from problem
    try:
        return frame.to_polars()
    except ValueError:
        # Columns of mixed Python objects have no common type; they are read value by value.
        return pl.DataFrame([pl.Series(name, frame[name].to_list(), strict=False) for name in frame.columns])
    except Exception as problem:  # each kind of frame raises errors of its own
        raise DataError(f"{expected}; this frame cannot be converted: {str(problem).splitlines()[0]}") from problem


def _from_array(source: Any, columns: Sequence[str] | None) -> pl.DataFrame:
    """Convert an array (row, column), with columns named x0, x1, ..."""
    array = _as_array(source)
    if array.ndim != 2:
        raise DataError(
            f"expected an array of shape (rows, columns), got shape {array.shape}; try X.reshape(len(X), -1)"
        )
    names = list(columns) if columns is not None else [f"x{index}" for index in range(array.shape[1])]
    if len(names) != array.shape[1]:
        raise DataError(f"expected {len(names)} columns ({', '.join(names[:4])}, ...), got {array.shape[1]}")
    if array.dtype == object:
        return pl.DataFrame({name: pl.Series(name, list(array[:, i]), strict=False) for i, name in enumerate(names)})
    return pl.DataFrame({name: pl.Series(name, np.ascontiguousarray(array[:, i])) for i, name in enumerate(names)})


def _as_array(source: Any) -> np.ndarray:
    """Convert a tensor or nested lists to an array; NumPy has no bfloat16, so such a tensor becomes float32."""
    if isinstance(source, torch.Tensor):
        source = source.detach().cpu()
        return (source.float() if source.dtype == torch.bfloat16 else source).numpy()
    try:
        return np.asarray(source)
    except ValueError as problem:
        raise DataError(
            "expected rows of equal length, got lists of different lengths; fill the gaps with None"
        ) from problem


def _sample(name: str) -> pl.DataFrame:
    """Load a data set that ships inside scikit-learn, with its target in the column `target`."""
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
    """Read a file on disk by its ending."""
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
        raise DataError(
            f"{path.name}: expected a file ending in {', '.join(SUFFIXES)}; save it as CSV or pass a data frame"
        )
    try:
        frame = pl.read_parquet(path, memory_map=False) if name.endswith((".parquet", ".pq")) else read_delimited(path)
    except (pl.exceptions.PolarsError, OSError, EOFError, zlib.error) as problem:
        raise DataError(f"{path} could not be read as a table: {str(problem).splitlines()[0]}") from problem
    if frame.height == 0 or frame.width == 0:
        raise DataError(f"{path} has {frame.height} rows and {frame.width} columns; expected at least one of each")
    return frame
