"""Read a table with a time column as series at a regular step, without gaps: row t is step t, a column is a series.

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

    `values` is (time, channel), and `missing` says which of them were filled in; `places` (row,) is the step of
    each row of the table, negative for rows before all series had begun; `last` holds the last time.
    """

    values: NDArray[np.float64]
    missing: NDArray[np.bool_]
    places: NDArray[np.int64]
    step: AnyStep
    last: pl.Series
    notes: tuple[str, ...]


def choose_time(frame: pl.DataFrame, column: str | None, *, target: Sequence[str] | None = None) -> str:
    """Choose the time column: the named one, or the only one that holds moments; else the only one that counts steps.

    Args:
        frame: the table.
        column: name of the column, if it is known.
        target: columns to forecast: whole numbers among them count no steps.

    Raises:
        DataError: there is none, or several, or the named one holds something else.

    Example:
        >>> choose_time(pl.DataFrame({"day": ["2024-01-01", "2024-01-02"], "load": [1.0, 2.0]}), None)
        'day'
    """
    if column is not None:
        if column not in frame.columns:
            raise DataError(f"there is no time column {column!r}; {choices(frame.columns, column)}")
        require_times(frame[column])
        return column
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
        time: the time column.
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
    regular_step, places = step_of(ordered.times, step)
    notes = [*ordered.notes, *_gaps_between(regular_step, places)]
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
        step=regular_step,
        last=ordered.times[-1:],
        notes=tuple(notes),
    )


def _gaps_between(step: AnyStep, places: NDArray[np.int64]) -> list[str]:
    """Notes on the steps that have no row; refuses too many of them."""
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
    """Convert a number column to float64, NaN where missing."""
    column = tidy(series)
    if not (column.dtype.is_numeric() or column.null_count() == len(column)):
        example = column.drop_nulls().head(1).to_list()
        raise DataError(
            f"column {series.name!r} cannot be forecast: expected numbers, got {column.dtype} such as {example[0]!r}"
        )
    return column.cast(pl.Float64).to_numpy()


def _begin(grid: NDArray[np.float64], names: Sequence[str], most: float) -> int:
    """The first step by which every series has had a value; refuses a series with too many gaps."""
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
    """Notes on missing and infinite values."""
    count = int((np.isnan(_numbers(series)) & kept).sum())
    plain = tidy_infinite(series)
    infinite = int((plain.is_infinite().fill_null(False).to_numpy() & kept).sum()) if plain.dtype.is_float() else 0
    name, carried = series.name, "the values before them are carried on."
    return [
        *([f"Column {name!r} holds {infinite} infinite values; {carried}"] if infinite else []),
        *([f"Column {name!r} misses {count - infinite} values; {carried}"] if count > infinite else []),
    ]
