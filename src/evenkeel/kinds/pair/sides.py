"""Sides of pairs as read: columns of a table, or pixels, and the kind of data of each.

The schema and the fields of a side are those of its kind.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from evenkeel.data.table import read_table
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.side import Loaded, Raw, Side, SideRequest
from evenkeel.shapes import Tensor


def as_side(values: Any, name: str) -> Raw:
    """Convert the values of one side to a frame of columns, or to pixels if they are images.

    Raises:
        DataError: they are neither.

    Example:
        >>> as_side([[1.0, 2.0], [3.0, 4.0]], "left").columns
        ['x0', 'x1']
        >>> as_side(["a dog", "a cat"], "right").columns
        ['right']
    """
    if isinstance(values, pl.Series):
        return values.alias(name).to_frame()
    if isinstance(values, pl.DataFrame):
        return values
    if isinstance(values, (list, tuple, np.ndarray, Tensor)):
        return _of_rows(values, name)
    return read_table(values)


def _of_rows(values: Any, name: str) -> Raw:
    """Convert a list or an array of one value, several numbers, or an image in each row."""
    if not len(values):
        raise DataError(f"the {name} side has no rows; expected texts, paths of images, numbers or images")
    axes = values.ndim if isinstance(values, (np.ndarray, Tensor)) else 1 + np.ndim(values[0])
    if axes >= 3:
        array = values if isinstance(values, (np.ndarray, Tensor)) else np.asarray(values)
        return next(side.of_array for _, side in _sides() if side.of_array is not None)(array)
    if axes == 2:
        return read_table(list(values) if isinstance(values, tuple) else values)
    plain = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
    plain = [str(each) if isinstance(each, Path) else each for each in plain]
    return pl.DataFrame({name: pl.Series(name, plain, strict=False)})


def side_of(raw: Raw, folder: Path) -> str:
    """Name the first kind, by rank, that recognises the side as its own."""
    return next(name for name, side in _sides() if side.recognises(raw, folder))


def _sides() -> list[tuple[str, Side[Any]]]:
    """List the kinds that can be a side, by rank."""
    from evenkeel.kinds import PARTS

    kinds = sorted(PARTS.values(), key=lambda kind: kind.rank)
    return [(kind.name, kind.side) for kind in kinds if kind.side is not None]


def reader_of(kind: str) -> Side[Any]:
    """Return the reader of a kind of data as a side.

    Raises:
        RequestError: it cannot be one.
    """
    sides = dict(_sides())
    if kind not in sides:
        raise RequestError(f"{kind} data cannot be a side of a pair; try {', '.join(sides)}")
    return sides[kind]


def load(raw: Raw, folder: Path, request: SideRequest) -> Loaded:
    """Read the files that a side names; those that cannot be read drop out and are named.

    Raises:
        DataError: no file can be read.
    """
    return reader_of(side_of(raw, folder)).load(raw, folder, request)


def take(raw: Raw, rows: np.ndarray) -> Raw:
    """Select rows of a side."""
    return raw[torch.from_numpy(rows)] if isinstance(raw, Tensor) else raw[rows]


def missing_rows(raw: Raw) -> np.ndarray:
    """Mark the rows without any value, (row,) Boolean."""
    if isinstance(raw, Tensor):
        return np.zeros(len(raw), dtype=bool)
    return raw.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()


def numbered(raw: Raw) -> np.ndarray:
    """Number the rows, (row,), the same where their values are the same.

    Example:
        >>> numbered(pl.DataFrame({"word": ["a", "b", "a"]})).tolist()
        [0, 1, 0]
    """
    keys = [row.tobytes() for row in raw.numpy()] if isinstance(raw, Tensor) else raw.rows()
    numbers: dict[Any, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
