"""Reading of pairs: a table with a column for each side (or several columns of numbers), or two arrays.

Rows whose left or right is the same are *alike*: a split keeps them together, or the test would hold what training
has learned, and none of them counts as a wrong partner of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from evenkeel.data.table import read_table
from evenkeel.errors import DataError, RequestError, choices
from evenkeel.kinds.pair.sides import as_side, load, missing_rows, numbered, take
from evenkeel.kinds.side import Raw, SideRequest

LEFT, RIGHT = "left", "right"


@dataclass(frozen=True, kw_only=True)
class RawPairs:
    """Sides as read, by name (one or both), and the other columns.

    `columns` are those of each side, `rest` the other columns, `folder` the one that paths are relative to; `rows`
    of `height` are those that are left; `notes` say why.
    """

    sides: Mapping[str, Raw]
    columns: Mapping[str, tuple[str, ...]]
    rest: pl.DataFrame
    folder: Path
    rows: np.ndarray
    height: int
    notes: tuple[str, ...] = ()


def read_pairs(
    data: Any, columns: Mapping[str, Sequence[str]], others: Sequence[str] = (), request: SideRequest | None = None
) -> RawPairs:
    """Read both sides of training data, with their files; rows that lack a side are dropped and counted.

    Args:
        data: a path, a frame, a mapping {"left": ..., "right": ...}, or a tuple (left, right).
        columns: of a table, the columns of each side; empty: the two columns besides `others`.
        others: columns to split or weight by.
        request: the options of reading image files.

    Raises:
        DataError: no such columns, sides of different lengths, or nothing that can be read.
        RequestError: more columns than two where none are named.
    """
    raw = pairs_of_table(data, columns, others) if is_table(data) else pairs_apart(data)
    counts = {name: len(side) for name, side in raw.sides.items()}
    if len(counts) != 2 or len(set(counts.values())) != 1:
        lengths = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise DataError(f"expected two sides of equal length, row by row a pair, got {lengths} rows; try (left, right)")
    absent = np.logical_or(*[missing_rows(_without_nan(side)) for side in raw.sides.values()])
    notes = (f"{absent.sum()} of {raw.height} rows lack a side and are left out.",) if absent.any() else ()
    return _loaded(_kept(raw, np.flatnonzero(~absent), notes), request or SideRequest())


def _without_nan(side: Raw) -> Raw:
    """Convert NaN to missing values, as in the reading of tables."""
    return side.with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None)) if isinstance(side, pl.DataFrame) else side


def _kept(raw: RawPairs, rows: np.ndarray, notes: tuple[str, ...]) -> RawPairs:
    """Keep some of the rows that are left, by their places among them."""
    return replace(
        raw,
        sides={name: take(side, rows) for name, side in raw.sides.items()},
        rest=raw.rest[rows] if raw.rest.width else raw.rest,
        rows=raw.rows[rows],
        notes=(*raw.notes, *notes),
    )


def _loaded(raw: RawPairs, request: SideRequest) -> RawPairs:
    """Decode image files; pairs with a file that cannot be read drop out."""
    for name in raw.sides:
        loaded = load(raw.sides[name], raw.folder, request)
        raw = _kept(raw, loaded.rows, loaded.notes)
        raw = replace(raw, sides={**raw.sides, name: loaded.raw})
    return raw


def is_table(data: Any) -> bool:
    """Whether both sides are columns of one table."""
    return not isinstance(data, tuple) and not (isinstance(data, Mapping) and set(data) <= {LEFT, RIGHT})


def pairs_apart(data: Any) -> RawPairs:
    """Read separate sides: a tuple (left, right), or a mapping of one or both."""
    if isinstance(data, tuple) and len(data) != 2:
        raise DataError(f"expected a pair (left, right), got a tuple of {len(data)}; try two arrays of equal length")
    by_name = dict(zip((LEFT, RIGHT), data, strict=True)) if isinstance(data, tuple) else dict(data)
    sides = {name: as_side(values, name) for name, values in by_name.items()}
    height = max((len(side) for side in sides.values()), default=0)
    columns = {name: tuple(side.columns) if isinstance(side, pl.DataFrame) else (name,) for name, side in sides.items()}
    return RawPairs(
        sides=sides, columns=columns, rest=pl.DataFrame(), folder=Path(), rows=np.arange(height), height=height
    )


def pairs_of_table(data: Any, columns: Mapping[str, Sequence[str]], others: Sequence[str]) -> RawPairs:
    """Read sides that are columns of one table."""
    frame = read_table(data)
    chosen = dict(columns) if columns else _two_columns(frame, others)
    for name in [name for side in chosen.values() for name in side]:
        if name not in frame.columns:
            raise DataError(f"there is no column {name!r} for a side of the pairs; {choices(frame.columns, name)}")
    used = [name for side in chosen.values() for name in side]
    twice = [name for name in frame.columns if used.count(name) > 1]
    if twice:
        raise RequestError(
            f"column {twice[0]!r} is named twice for the sides of the pairs; a thing is always its own partner, so "
            "nothing would be learned: give each side columns of its own"
        )
    return RawPairs(
        sides={side: frame.select(names) for side, names in chosen.items()},
        columns={side: tuple(names) for side, names in chosen.items()},
        rest=frame.drop(used),
        folder=Path(data).expanduser().parent if isinstance(data, (str, Path)) else Path(),
        rows=np.arange(frame.height),
        height=frame.height,
    )


def _two_columns(frame: pl.DataFrame, others: Sequence[str]) -> dict[str, list[str]]:
    """Find the two columns of a table of pairs besides those to split or weight by."""
    names = [name for name in frame.columns if name not in others]
    if len(names) != 2:
        raise RequestError(
            f"which columns belong together? Expected two, got {len(names)}: {names[:12]}; "
            "try settings={'left': 'picture', 'right': 'caption'}"
        )
    return {LEFT: names[:1], RIGHT: names[1:]}


def alike(pairs: RawPairs, group: Sequence[object] | None = None) -> np.ndarray:
    """Number the pairs, (row,), the same where they are linked by the same left, the same right or the same group.

    Example:
        >>> raw = read_pairs((["a", "a", "b", "c"], [1, 2, 2, 3]), {})
        >>> alike(raw).tolist()
        [0, 0, 0, 1]
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    names = [numbered(side) for side in pairs.sides.values()]
    names += [np.unique([str(each) for each in group], return_inverse=True)[1]] if group is not None else []
    rows = np.arange(len(names[0]))
    total, starts = len(rows), []
    for name in names:  # pairs, then their values: a graph with an edge from each pair to each of its names
        starts.append(name + total)
        total += int(name.max(initial=-1)) + 1
    ends = np.concatenate(starts)
    edges = coo_matrix((np.ones(len(ends), dtype=np.int8), (np.tile(rows, len(names)), ends)), shape=(total, total))
    return connected_components(edges, directed=False)[1][rows].astype(np.int64)
