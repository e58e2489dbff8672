"""The sides of pairs as they came: columns of a table, or pixels, and which kind of data each of them is.

What a side learns of its training rows is the schema of its kind; its fields are those of that kind.
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
    """Whatever stands for one side as a frame of columns, or as pixels where it is images.

    Raises:
        DataError: neither.

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
    """A list or an array of one value, several numbers, or an image in each row."""
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
    """The first kind, by rank, that recognises the side as its own."""
    return next(name for name, side in _sides() if side.recognises(raw, folder))


def _sides() -> list[tuple[str, Side[Any]]]:
    """The kinds that can be a side, in the order in which they are asked."""
    from evenkeel.kinds import PARTS

    kinds = sorted(PARTS.values(), key=lambda kind: kind.rank)
    return [(kind.name, kind.side) for kind in kinds if kind.side is not None]


def reader_of(kind: str) -> Side[Any]:
    """How a kind of data is read as a side.

    Raises:
        RequestError: it cannot be one.
    """
    sides = dict(_sides())
    if kind not in sides:
        raise RequestError(f"{kind} data cannot be a side of a pair; try {', '.join(sides)}")
    return sides[kind]


def load(raw: Raw, folder: Path, request: SideRequest) -> Loaded:
    """A side with the files that it names read; those that cannot be read drop out and are named.

    Raises:
        DataError: none can be read.
    """
    return reader_of(side_of(raw, folder)).load(raw, folder, request)


def take(raw: Raw, rows: np.ndarray) -> Raw:
    """The rows of a side."""
    return raw[torch.from_numpy(rows)] if isinstance(raw, Tensor) else raw[rows]


def missing_rows(raw: Raw) -> np.ndarray:
    """Which rows hold nothing at all, (row,) Boolean."""
    if isinstance(raw, Tensor):
        return np.zeros(len(raw), dtype=bool)
    return raw.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()


def numbered(raw: Raw) -> np.ndarray:
    """A number for each row, the same where rows hold the same, (row,).

    Example:
        >>> numbered(pl.DataFrame({"word": ["a", "b", "a"]})).tolist()
        [0, 1, 0]
    """
    keys = [row.tobytes() for row in raw.numpy()] if isinstance(raw, Tensor) else raw.rows()
    seen: dict[Any, int] = {}
    return np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)
