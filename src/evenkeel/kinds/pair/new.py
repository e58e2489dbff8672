"""Reading of new pairs, or of one side alone, by the schema of a trained run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from evenkeel.data.table import read_table
from evenkeel.errors import DataError
from evenkeel.kinds.pair.read import LEFT, RIGHT, RawPairs, is_table, pairs_apart, pairs_of_table
from evenkeel.kinds.pair.schema import PairSchema, SideSchema
from evenkeel.kinds.side import Raw
from evenkeel.shapes import Tensor

GIVE = "give {'left': ...}, {'right': ...}, or both as (left, right)"


def read_new(schema: PairSchema, data: Any) -> RawPairs:
    """Read new pairs, or one side alone: a table with its columns, or a mapping such as {"left": [...]}.

    Raises:
        DataError: there is no side, it is ambiguous which one it is, it has another width than in training, or both
            have different lengths.
    """
    raw = _of_table(schema, data) if is_table(data) else _apart(schema, data)
    counts = {name: len(side) for name, side in raw.sides.items()}
    if not counts or len(set(counts.values())) > 1:
        raise DataError(f"expected one side, or two of equal length, got {counts}; try {{'left': [...]}}")
    return raw


def _apart(schema: PairSchema, data: Any) -> RawPairs:
    """Read sides by name or as a tuple; those without names of columns must have as many as in training."""
    raw = pairs_apart(data)
    values: Mapping[str, Any] = dict(zip((LEFT, RIGHT), data, strict=True)) if isinstance(data, tuple) else data
    for name, side in raw.sides.items():
        if _is_nameless(values[name]):
            _require_width(schema.side(name), name, side)
    return raw


def _require_width(side: SideSchema, name: str, raw: Raw) -> None:
    """Refuse another number of columns than in training."""
    trained = 1 if side.name != "table" else len(side.columns)
    if isinstance(raw, pl.DataFrame) and raw.width != trained:
        what = f"{trained} column(s)" if side.name == "table" else f"one {side.name} a row"
        raise DataError(f"training saw a {name} side of {what}, got {raw.width} columns; give what training saw")


def _of_table(schema: PairSchema, data: Any) -> RawPairs:
    """Read the sides of which a table has all columns."""
    sides = {name: schema.side(name).columns for name in (LEFT, RIGHT)}
    if _is_nameless(data):
        _require_unambiguous(sides, data)
    frame = read_table(data)
    there = {name: list(columns) for name, columns in sides.items() if set(columns) <= set(frame.columns)}
    if not there:
        expected = " or ".join(f"{list(columns)} ({name})" for name, columns in sides.items())
        raise DataError(f"expected the columns of a side, {expected}, got {frame.columns[:12]}")
    if len(there) == 2 and set(there[LEFT]) & set(there[RIGHT]):
        raise DataError(
            f"both sides have columns of the same names, {there[LEFT][:4]}, so one table cannot tell them apart; {GIVE}"
        )
    return pairs_of_table(data if isinstance(data, (str, Path)) else frame, there, ())


def _require_unambiguous(sides: Mapping[str, tuple[str, ...]], data: Any) -> None:
    """Refuse one array, unless training took both sides from one array too, by the numbers of its columns."""
    numbered = {name: all(column[:1] == "x" and column[1:].isdigit() for column in sides[name]) for name in sides}
    if all(numbered.values()) and not set(sides[LEFT]) & set(sides[RIGHT]):
        return
    shape = tuple(data.shape) if isinstance(data, (np.ndarray, Tensor)) else (len(data),)
    raise DataError(f"one {type(data).__name__} of shape {shape} does not say which side it is; {GIVE}")


def _is_nameless(values: Any) -> bool:
    """Whether the columns of values have no names: an array or rows of numbers."""
    return isinstance(values, (np.ndarray, Tensor)) or (
        isinstance(values, (list, tuple)) and not (len(values) and isinstance(values[0], Mapping))
    )
