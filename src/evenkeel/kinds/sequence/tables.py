"""Read sequences from tables.

    long    a row is a step; a column names the series it belongs to, another may say its time; the others are channels
    wide    a row is a sequence of one channel; its number columns, in their order, are the steps

The answer of a long table is that of the whole series where it never changes within one, else that of each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from evenkeel.data.columns import Column, describe, tidy, tidy_infinite
from evenkeel.data.fields import starts_of
from evenkeel.data.target import take_target
from evenkeel.errors import DataError, choices
from evenkeel.kinds.sequence.schema import LENGTH, AnswersPer, Sequences

ID_WORDS = {"id", "series", "sequence"}


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The columns of a table that are no channels.

    `series` and `time` of a long table (no series: it is wide); `target`; those set `aside` for splitting or weighting.
    """

    series: str | None = None
    time: str | None = None
    target: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()


def read_long(
    frame: pl.DataFrame, roles: Roles, *, channels: Sequence[str] | None = None, per: AnswersPer | None = None
) -> Sequences:
    """Read the series of a long table, in the order in which they first appear; their steps in the order of time.

    Args:
        frame: one row a step.
        roles: the columns that are no channels.
        channels: the columns to read; all that hold numbers without.
        per: `example` or `step`; None: inferred from the answers.

    Raises:
        DataError: a column is missing, has no time where one is needed, or nothing is left to read.

    Example:
        >>> frame = pl.DataFrame({"id": [1, 2, 1], "t": [1, 0, 0], "x": [5.0, 7.0, 4.0]})
        >>> sequences = read_long(frame, Roles(series="id", time="t"))
        >>> sequences.values.flatten().tolist(), sequences.lengths.tolist()
        ([4.0, 5.0, 7.0], [2, 1])
    """
    name = str(roles.series)
    _require(frame, [name, *([roles.time] if roles.time else [])])
    known = frame.filter(tidy(frame[name]).is_not_null())
    lost = frame.height - known.height
    if not known.height:
        raise DataError(f"no row names its series in column {name!r}; expected one value for each row")
    order, rows = _order(known, name, roles.time)
    ordered, lengths = known[order], np.bincount(rows)
    starts = starts_of(lengths.tolist())
    values, names, left_out = _channels(ordered, roles, channels)
    firsts = ordered[starts[:-1].numpy()]
    table = firsts.drop([*roles.target, *([LENGTH] if LENGTH in firsts.columns else [])], strict=False)
    table = table.with_columns(pl.Series(LENGTH, lengths))
    fields = {"values": values, "starts": starts, "channels": names, "left_out": left_out}
    fields |= {"names": firsts[name], "times": ordered[roles.time] if roles.time else None}
    notes = [f"{lost} {'row names' if lost == 1 else 'rows name'} no series in {name!r}; left out."] if lost else []
    notes += _ties(ordered, roles.time, starts)
    if not roles.target:
        return Sequences(**fields, table=table, notes=tuple(notes))
    answers, target = take_target(ordered, roles.target)
    each = None if per == "step" else _one_each(answers, np.sort(rows))
    if each is None and per == "example":
        raise DataError(
            f"target {', '.join(target)} varies within a series; expected one answer each, or answers='step'"
        )
    if each is None:
        return Sequences(**fields, table=table, steps=answers, target=target, notes=tuple(notes))
    return Sequences(**fields, table=table.with_columns(each.get_columns()), target=target, notes=tuple(notes))


def _require(frame: pl.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in frame.columns:
            raise DataError(f"there is no column {name!r}; {choices(frame.columns, name)}")


def _order(frame: pl.DataFrame, series: str, time: str | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The order of the rows, series after series and by time in each; and the number of each row's series."""
    keys = frame[series]
    _, first, place = np.unique(keys.cast(pl.String).to_numpy().astype(str), return_index=True, return_inverse=True)
    rows = np.argsort(np.argsort(first))[place]
    if time is None:
        return np.argsort(rows, kind="stable"), rows
    times = tidy(frame[time])
    if times.null_count() or not (times.dtype.is_temporal() or times.dtype.is_numeric()):
        raise DataError(
            f"column {time!r} must hold a time or a number in every row, got {times.dtype} with {times.null_count()} "
            "missing; correct it, or leave `time` out where the rows are in order"
        )
    return np.lexsort((times.to_physical().cast(pl.Float64).to_numpy(), rows)), rows


def _ties(ordered: pl.DataFrame, time: str | None, starts: torch.Tensor) -> list[str]:
    """Note on steps of one series at one time."""
    if time is None:
        return []
    times = tidy(ordered[time]).to_physical().cast(pl.Float64).to_numpy()
    same = times[1:] == times[:-1]
    same[starts[1:-1].numpy() - 1] = False
    count = int(same.sum())
    if not count:
        return []
    steps = (
        "1 step has the time of the step before; it keeps"
        if count == 1
        else (f"{count} steps have the time of the step before; they keep")
    )
    return [f"{steps} the order of the table."]


def _one_each(answers: pl.DataFrame, rows: NDArray[np.int64]) -> pl.DataFrame | None:
    """The answer of each series; None where one has two different ones. Missing answers are ignored."""
    grouped = answers.with_columns(pl.Series("", rows)).group_by("", maintain_order=True)
    if (grouped.agg(pl.all().drop_nulls().n_unique()).drop("") > 1).select(pl.any_horizontal(pl.all().any())).item():
        return None
    return grouped.agg(pl.all().drop_nulls().first()).drop("")


def _channels(
    frame: pl.DataFrame, roles: Roles, channels: Sequence[str] | None
) -> tuple[torch.Tensor, tuple[str, ...], tuple[Column, ...]]:
    """(place, channel), their names, and the columns that cannot be read."""
    if channels is not None:
        _require(frame, channels)
    taken = {roles.series, roles.time, *roles.target, *roles.aside}
    candidates = channels if channels is not None else [name for name in frame.columns if name not in taken]
    read, left_out = {}, []
    for name in candidates:
        column = tidy_infinite(frame[name])  # what is infinite is counted as such
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            read[name] = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        elif channels is not None and column.null_count() < len(column):
            raise DataError(f"column {name!r} was numbers in training; now it holds {column.dtype}; expected numbers")
        elif channels is not None:
            read[name] = np.full(len(column), np.nan)
        else:
            described = describe(column)
            left_out.append(described.model_copy(update={"note": "left out: no numbers, so no channel"}))
    if not read:
        raise DataError(f"no column holds the numbers of the sequences; there are {frame.columns[:12]}")
    return torch.from_numpy(np.stack(list(read.values()), axis=1)), tuple(read), tuple(left_out)


def read_wide(frame: pl.DataFrame, roles: Roles, *, steps: Sequence[str] | None = None) -> Sequences:
    """Read the rows of a wide table as sequences of one channel.

    Args:
        frame: one row a sequence.
        roles: the columns that are no steps.
        steps: the columns to read, in this order; all that hold numbers without.

    Raises:
        DataError: a column is missing, or fewer than two hold numbers.

    Example:
        >>> read_wide(pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}), Roles()).lengths.tolist()
        [2, 2]
    """
    values, names, left_out = _channels(frame, roles, steps)
    if len(names) < 2:
        raise DataError(
            f"a wide table needs a number column for each step, got {list(names)}; where a row is a step, name the "
            "column that tells the series: settings={'series': ...}"
        )
    answers, target = take_target(frame, roles.target) if roles.target else (pl.DataFrame(), ())
    table = frame.drop([*roles.target, *names], strict=False)
    lengths = pl.Series(LENGTH, [len(names)] * frame.height)
    return Sequences(
        values=values.reshape(-1, 1),
        starts=torch.arange(frame.height + 1) * len(names),
        channels=("value",),
        table=table.with_columns(lengths, *answers.get_columns()),
        target=target,
        wide=names,
        left_out=left_out,
        notes=_looks_long(frame, names, left_out) if steps is None else (),
    )


def _looks_long(frame: pl.DataFrame, names: Sequence[str], left_out: Sequence[Column]) -> tuple[str, ...]:
    """Note where a column has repeated values that look like the names of series."""
    for name in (*(column.name for column in left_out), *names):
        present = frame[name].drop_nulls()
        of_text = present.dtype == pl.String and name not in names
        if (of_text or (_is_whole(present) and _named_as_id(name))) and present.n_unique() < len(present):
            return (
                f"Each row is taken as one sequence. If a row is a step, settings={{'series': {name!r}, 'time': ...}} "
                f"read a long table: the values of column {name!r} repeat.",
            )
    return ()


def _is_whole(values: pl.Series) -> bool:
    return values.dtype.is_integer() or (values.dtype.is_float() and bool((values == values.round()).all()))


def _named_as_id(name: str) -> bool:
    """Whether a column is called like what names a series: `id`, `patient_id`, `series`."""
    words = name.lower().replace("-", "_").replace(" ", "_").split("_")
    return bool(ID_WORDS & set(words)) or name.endswith("Id") or name.endswith("ID")
