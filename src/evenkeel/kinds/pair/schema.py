"""Pairs: two things that belong together in each row, such as a picture and its caption.

A table with a column for each side (or several columns of numbers), or two arrays or lists (left, right), row by row.
Rows whose left or right is the same are *alike*: no split may tear them apart, or the test would ask for what training
has seen, and none of them is a stranger to the others when a partner is looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import torch
from pydantic import PlainValidator, SerializeAsAny

from evenkeel.data.fields import Field
from evenkeel.data.schema import DataSchema, Frozen
from evenkeel.data.table import read_table
from evenkeel.errors import DataError, RequestError, choices
from evenkeel.kinds.pair.sides import (
    SIDES,
    Raw,
    SideName,
    SideRequest,
    as_side,
    load,
    missing_rows,
    numbered,
    side_of,
    take,
)

LEFT, RIGHT = "left", "right"
Setting = bool | int | float | str | None


def _read_side(value: Any) -> DataSchema:
    """The schema of a side from its JSON: `kind` says which."""
    return value if isinstance(value, DataSchema) else SIDES[value["kind"]].schema.model_validate(value)


class SideSchema(Frozen):
    """One side: the columns it is read from in a table, what its kind learned, and the settings of its net."""

    columns: tuple[str, ...]
    schema_: Annotated[SerializeAsAny[DataSchema], PlainValidator(_read_side)]
    net: Mapping[str, Setting] = {}

    @property
    def name(self) -> SideName:
        """The kind of data that it is."""
        return self.schema_.kind  # type: ignore[return-value]


class PairSchema(DataSchema):
    """Both sides, and how many nets read them."""

    kind: str = "pair"
    left: SideSchema
    right: SideSchema
    towers: int = 2
    temperature: float = 0.1

    def side(self, name: str) -> SideSchema:
        """One side by name."""
        return self.left if name == LEFT else self.right


@dataclass(frozen=True, kw_only=True)
class RawPairs:
    """Sides as they came, by name (one or both), and what came with them.

    `columns` are those of each side, `rest` the other columns, `folder` where paths start from; `rows` of `height` are
    those that are left; `notes` say why.
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
    """Both sides of training data, files read; rows that lack a side are dropped and counted.

    Args:
        data: a path, a frame, a mapping {"left": ..., "right": ...}, or a tuple (left, right).
        columns: of a table, the columns of each side; empty: the two columns besides `others`.
        others: columns that say how to split or to weight.
        request: how image files are read.

    Raises:
        DataError: no such columns, sides of different lengths, or nothing that can be read.
        RequestError: more columns than two where none are named.
    """
    raw = pairs_of_table(data, columns, others) if is_table(data) else pairs_apart(data)
    counts = {name: len(side) for name, side in raw.sides.items()}
    if len(counts) != 2 or len(set(counts.values())) != 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise DataError(f"expected two sides of equal length, row by row a pair, got {told} rows; try (left, right)")
    absent = np.logical_or(*[missing_rows(_without_nan(side)) for side in raw.sides.values()])
    notes = (f"{absent.sum()} of {raw.height} rows lack a side and are left out.",) if absent.any() else ()
    return _loaded(_kept(raw, np.flatnonzero(~absent), notes), request or SideRequest())


def _without_nan(side: Raw) -> Raw:
    """The same with NaN as missing values, which is how a table is read."""
    return side.with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None)) if isinstance(side, pl.DataFrame) else side


def _kept(raw: RawPairs, rows: np.ndarray, notes: tuple[str, ...]) -> RawPairs:
    """The given ones of the rows that are left."""
    return replace(
        raw,
        sides={name: take(side, rows) for name, side in raw.sides.items()},
        rest=raw.rest[rows] if raw.rest.width else raw.rest,
        rows=raw.rows[rows],
        notes=(*raw.notes, *notes),
    )


def _loaded(raw: RawPairs, request: SideRequest) -> RawPairs:
    """Image files decoded; pairs of which one cannot be drop out."""
    for name in raw.sides:
        found = load(raw.sides[name], raw.folder, request)
        raw = _kept(raw, found.rows, found.notes)
        raw = replace(raw, sides={**raw.sides, name: found.raw})
    return raw


def is_table(data: Any) -> bool:
    """Whether both sides are columns of one table."""
    return not isinstance(data, tuple) and not (isinstance(data, Mapping) and set(data) <= {LEFT, RIGHT})


def pairs_apart(data: Any) -> RawPairs:
    """Sides given apart: a tuple (left, right), or a mapping of one or both."""
    if isinstance(data, tuple) and len(data) != 2:
        raise DataError(f"expected a pair (left, right), got a tuple of {len(data)}; try two arrays of equal length")
    given = dict(zip((LEFT, RIGHT), data, strict=True)) if isinstance(data, tuple) else dict(data)
    sides = {name: as_side(values, name) for name, values in given.items()}
    height = max((len(side) for side in sides.values()), default=0)
    columns = {name: tuple(side.columns) if isinstance(side, pl.DataFrame) else (name,) for name, side in sides.items()}
    return RawPairs(
        sides=sides, columns=columns, rest=pl.DataFrame(), folder=Path(), rows=np.arange(height), height=height
    )


def pairs_of_table(data: Any, columns: Mapping[str, Sequence[str]], others: Sequence[str]) -> RawPairs:
    """Sides that are columns of one table."""
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
    """The two columns that a table of pairs has besides those that say how to split."""
    names = [name for name in frame.columns if name not in others]
    if len(names) != 2:
        raise RequestError(
            f"which columns belong together? Expected two, got {len(names)}: {names[:12]}; "
            "try settings={'left': 'picture', 'right': 'caption'}"
        )
    return {LEFT: names[:1], RIGHT: names[1:]}


def alike(pairs: RawPairs, group: Sequence[object] | None = None) -> np.ndarray:
    """A number for each pair, the same where pairs are linked by the same left, the same right (or group), (row,).

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
    for name in names:  # pairs, then what they hold: a graph with an edge from each pair to each of its names
        starts.append(name + total)
        total += int(name.max(initial=-1)) + 1
    ends = np.concatenate(starts)
    edges = coo_matrix((np.ones(len(ends), dtype=np.int8), (np.tile(rows, len(names)), ends)), shape=(total, total))
    return connected_components(edges, directed=False)[1][rows].astype(np.int64)


def fit_pairs(
    pairs: RawPairs, train: np.ndarray, request: SideRequest, *, towers: int, temperature: float
) -> PairSchema:
    """Learn both sides of the training rows, each as its kind does; one net for both learns of both together.

    Raises:
        DataError: nothing in a side can be used.
        RequestError: one net for sides of different kinds or sizes.
    """
    kinds = {name: side_of(raw, pairs.folder) for name, raw in pairs.sides.items()}
    if towers == 1:
        both, rows = _joined(pairs, train)
        shared = SIDES[kinds[LEFT]].fit(both, rows, request)
        found = {LEFT: shared, RIGHT: shared}
    else:
        found = {name: SIDES[kinds[name]].fit(raw, train, request) for name, raw in pairs.sides.items()}
    sides = {name: SideSchema(columns=pairs.columns[name], schema_=schema) for name, schema in found.items()}
    columns = [
        column.model_copy(update={"name": column.name if column.name == name else f"{name}: {column.name}"})
        for name, side in sides.items()
        for column in side.schema_.columns
    ]
    return PairSchema(
        columns=tuple(columns), towers=towers, temperature=temperature, left=sides[LEFT], right=sides[RIGHT]
    )


def _joined(pairs: RawPairs, train: np.ndarray) -> tuple[Raw, np.ndarray]:
    """Both sides one under the other, and which of these rows train."""
    left, right = pairs.sides[LEFT], pairs.sides[RIGHT]
    if not one_net_fits(pairs):
        kinds = " and ".join(side_of(raw, pairs.folder) for raw in (left, right))
        raise RequestError(
            f"one net for both sides needs sides of one kind and size, got {kinds}; try settings={{'towers': 'two'}}"
        )
    rows = np.concatenate([train, train + len(left)])
    if isinstance(left, pl.DataFrame) and isinstance(right, pl.DataFrame):
        return pl.concat([left, right.rename(dict(zip(right.columns, left.columns, strict=True)))]), rows
    return torch.cat([left, right]), rows  # type: ignore[list-item]


def one_net_fits(pairs: RawPairs) -> bool:
    """Whether both sides are of one kind and size."""
    left, right = pairs.sides[LEFT], pairs.sides[RIGHT]
    if side_of(left, pairs.folder) != side_of(right, pairs.folder):
        return False
    if isinstance(left, pl.DataFrame) and isinstance(right, pl.DataFrame):
        return left.dtypes == right.dtypes
    return left.shape[1:] == right.shape[1:] and left.dtype == right.dtype  # type: ignore[union-attr]


def encode_pairs(schema: PairSchema, pairs: RawPairs) -> dict[str, Field]:
    """Fields of the sides that are there, under the side's name: `left_numbers`, `right_pixels`, ..."""
    fields: dict[str, Field] = {}
    for name, raw in pairs.sides.items():
        side = schema.side(name)
        found = SIDES[side.name].encode(side.schema_, _as_trained(side, raw, pairs.folder))
        fields |= {f"{name}_{field}": value for field, value in found.items()}
    return fields


def _as_trained(side: SideSchema, raw: Raw, folder: Path) -> Any:
    """Columns under the names that the schema knows, which are the left ones where both sides share it; paths whole."""
    if not isinstance(raw, pl.DataFrame):
        return raw
    if side.name == "image":
        return [folder / str(name) for name in raw.to_series().to_list()]
    known = [column.name for column in side.schema_.columns]
    if set(raw.columns) != set(known) and raw.width == len(known):
        return raw.rename(dict(zip(raw.columns, known, strict=True)))
    return raw
