"""A table with a time column as series at a regular step, without gaps: row t is step t, a column is a series.

What is missing is filled with the value before it, never with one that was not yet known at that time, and marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenkeel.data.columns import tidy, tidy_infinite
from evenkeel.errors import DataError, choices
from evenkeel.kinds.series.business import AnyStep, BusinessDays, step_of
from evenkeel.kinds.series.moments import counts_steps, holds_moments, in_order, read_times, refuse_slips, require_times

MOST_FILLED = 0.05  # share of the steps that may have no row
MOST_MISSING = 0.2  # share of one series' values that may be missing


@dataclass(frozen=True, kw_only=True)
class Regular:
    """Series side by side, every step present.

    `values` is (time, channel), and `missing` says which of them were filled in; `places` (row,) says at which step of
    it each row of the table stands, negative for rows before all series had begun; `last` holds the last time.
    """

    values: NDArray[np.float64]
    missing: NDArray[np.bool_]
    places: NDArray[np.int64]
    step: AnyStep
    last: pl.Series
    notes: tuple[str, ...]


def choose_time(frame: pl.DataFrame, asked: str | None, *, target: Sequence[str] | None = None) -> str:
    """The time column: the one asked for, or the only one that holds moments; else the only one that counts steps.

    Args:
        frame: the table.
        asked: name of the column, if it was said.
        target: columns to forecast: whole numbers among them count no steps.

    Raises:
        DataError: there is none, or several, or the one asked for holds something else.

    Example:
        >>> choose_time(pl.DataFrame({"day": ["2024-01-01", "2024-01-02"], "load": [1.0, 2.0]}), None)
        'day'
    """
    if asked is not None:
        if asked not in frame.columns:
            raise DataError(f"there is no time column {asked!r}; {choices(frame.columns, asked)}")
        require_times(frame[asked])
        return asked
    able = [name for name in frame.columns if holds_moments(tidy(frame[name]))]
    able = able or [name for name in frame.columns if holds_moments(read_times(frame[name]))]
    if len(able) == 1:
        return able[0]
    if able:
        raise DataError(f"{len(able)} columns hold dates, {able[:8]}; say which is the time: settings={{'time': ...}}")
    for name in frame.columns:
        refuse_slips(frame[name], "moments")
    counting = [name for name in frame.columns if name not in (target or ()) and counts_steps(frame[name])]
    if len(counting) == 1:
        return counting[0]
    raise DataError(
        "a forecast needs a column of dates or moments, none of "
        f"{frame.columns[:12]} is one; name a column of numbers that count the steps: settings={{'time': ...}}"
    )


def regular_series(
    frame: pl.DataFrame,
    time: str,
    names: Sequence[str],
    *,
    step: AnyStep | None = None,
    most_missing: float = MOST_MISSING,
) -> Regular:
    """The named columns at every step from the first row that has all of them to the last row.

    Args:
        frame: rows in any order.
        time: the column that says when.
        names: number columns.
        step: the step that is expected; any without.
        most_missing: share of one series' values that may be missing.

    Raises:
        DataError: times that repeat or lie off a regular step, another step, too many gaps, or columns that are not
            numbers.

    Example:
        >>> frame = pl.DataFrame({"day": range(6), "load": [1.5, 2.5, None, 3.5, 4.5, 5.5]})
        >>> regular_series(frame, "day", ["load"]).values[:, 0].tolist()
        [1.5, 2.5, 2.5, 3.5, 4.5, 5.5]
    """
    ordered = in_order(frame, time)
    found, places = step_of(ordered.times, step)
    notes = [*ordered.notes, *_gaps_between(found, places)]
    grid = np.full((int(places[-1]) + 1, len(names)), np.nan)
    for index, name in enumerate(names):
        grid[places, index] = _numbers(ordered.frame[name])
    begun = _begin(grid, names, most_missing)
    if begun:
        notes.append(f"The first {begun} steps are left out: not every series has begun.")
    notes += [note for name in names for note in _missing(ordered.frame[name], places >= begun)]
    filled = pl.from_numpy(grid[begun:]).with_columns(pl.all().fill_nan(None).forward_fill()).to_numpy()
    standing = np.empty_like(places)
    standing[ordered.rows] = places - begun
    return Regular(
        values=np.array(filled, order="C"),  # a copy: polars may lend memory that must not be written to
        missing=np.isnan(grid[begun:]),
        places=standing,
        step=found,
        last=ordered.times[-1:],
        notes=tuple(notes),
    )


def _gaps_between(step: AnyStep, places: NDArray[np.int64]) -> list[str]:
    """What is to be said of the steps that have no row, if they are few enough."""
    length = int(places[-1]) + 1
    absent = length - len(places)
    if absent > MOST_FILLED * length:
        raise DataError(
            f"{absent} of {length} steps of {step.text} have no row, more than {MOST_FILLED:.0%}; fill the gaps, "
            "or start after them"
        )
    notes = []
    if isinstance(step, BusinessDays):
        notes.append("No row is of a Saturday or Sunday: a step goes from one business day to the next.")
    if absent:
        notes.append(f"{absent} of {length} steps have no row; the values before them are carried on.")
    return notes


def _numbers(series: pl.Series) -> NDArray[np.float64]:
    """A number column as float64, NaN where missing."""
    found = tidy(series)
    if not (found.dtype.is_numeric() or found.null_count() == len(found)):
        shown = found.drop_nulls().head(1).to_list()
        raise DataError(
            f"column {series.name!r} cannot be forecast: expected numbers, got {found.dtype} such as {shown[0]!r}"
        )
    return found.cast(pl.Float64).to_numpy()


def _begin(grid: NDArray[np.float64], names: Sequence[str], most: float) -> int:
    """The first step by which every series has had a value."""
    present = ~np.isnan(grid)
    first = np.where(present.any(0), present.argmax(0), len(grid))
    latest = int(first.argmax())
    share = 1 - present.mean(0)
    worst = int(share.argmax())
    if share[worst] > most:
        raise DataError(
            f"column {names[worst]!r} has no value in {share[worst]:.0%} of the steps, more than {most:.0%}; "
            "leave it out by naming the others as target, or begin where it begins"
        )
    return int(first[latest])


def _missing(series: pl.Series, kept: NDArray[np.bool_]) -> list[str]:
    """What is to be said of the values that rows of the table lack, or that are infinite."""
    count = int((np.isnan(_numbers(series)) & kept).sum())
    plain = tidy_infinite(series)
    infinite = int((plain.is_infinite().fill_null(False).to_numpy() & kept).sum()) if plain.dtype.is_float() else 0
    name, carried = series.name, "the values before them are carried on."
    return [
        *([f"Column {name!r} holds {infinite} infinite values; {carried}"] if infinite else []),
        *([f"Column {name!r} misses {count - infinite} values; {carried}"] if count > infinite else []),
    ]
