"""A table with a time column as series at a regular step, without gaps: row t is step t, a column is a series.

What is missing is filled with the value before it, never with one that was not yet known at that time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenkeel.data.columns import tidy
from evenkeel.data.times import Step, places_in_time
from evenkeel.errors import DataError, choices

MOST_FILLED = 0.05  # share of the steps that may have no row
MOST_MISSING = 0.2  # share of one series' values that may be missing


@dataclass(frozen=True, kw_only=True)
class Regular:
    """Series side by side, every step present.

    `values` is (time, channel); `places` (row,) says at which step of it each row of the table stands, negative for
    rows before all series had begun; `last` holds the last time.
    """

    values: NDArray[np.float64]
    places: NDArray[np.int64]
    step: Step
    last: pl.Series
    notes: tuple[str, ...]


def choose_time(frame: pl.DataFrame, asked: str | None) -> str:
    """The time column: the one asked for, or the only one that holds moments.

    Raises:
        DataError: there is none, or several, or the one asked for holds something else.

    Example:
        >>> choose_time(pl.DataFrame({"day": ["2024-01-01", "2024-01-02"], "load": [1.0, 2.0]}), None)
        'day'
    """
    if asked is not None:
        if asked not in frame.columns:
            raise DataError(f"there is no time column {asked!r}; {choices(frame.columns, asked)}")
        found = tidy(frame[asked])
        if not (_holds_moments(found) or found.dtype.is_numeric()):
            shown = found.drop_nulls().head(1).to_list()
            raise DataError(
                f"time column {asked!r} must hold dates, moments or numbers, got {found.dtype}"
                f"{f' such as {shown[0]!r}' if shown else ''}; write times as 2024-12-31 13:45:00"
            )
        return asked
    able = [name for name in frame.columns if _holds_moments(tidy(frame[name]))]
    if len(able) == 1:
        return able[0]
    if able:
        raise DataError(f"{len(able)} columns hold dates, {able[:8]}; say which is the time: settings={{'time': ...}}")
    raise DataError(
        "a forecast needs a column of dates or moments, none of "
        f"{frame.columns[:12]} is one; name a column of numbers that count the steps: settings={{'time': ...}}"
    )


def _holds_moments(series: pl.Series) -> bool:
    return series.dtype == pl.Date or isinstance(series.dtype, pl.Datetime)


def regular_series(frame: pl.DataFrame, time: str, names: Sequence[str], *, step: Step | None = None) -> Regular:
    """The named columns at every step from the first row that has all of them to the last row.

    Args:
        frame: rows in the order of time.
        time: the column that says when.
        names: number columns.
        step: the step that is expected; any without.

    Raises:
        DataError: times out of order or off a regular step, another step, too many gaps, or columns that are not
            numbers.

    Example:
        >>> frame = pl.DataFrame({"day": range(6), "load": [1.5, 2.5, None, 3.5, 4.5, 5.5]})
        >>> regular_series(frame, "day", ["load"]).values[:, 0].tolist()
        [1.5, 2.5, 2.5, 3.5, 4.5, 5.5]
    """
    times = tidy(frame[time])
    found = places_in_time(times)
    if step is not None and found.step != step:
        raise DataError(f"rows are {found.step.text} apart; training had {step.text}; bring the table to that step")
    length, notes = int(found.places[-1]) + 1, []
    absent = length - len(times)
    if absent > MOST_FILLED * length:
        raise DataError(
            f"{absent} of {length} steps of {found.step.text} have no row, more than {MOST_FILLED:.0%}; fill the gaps, "
            "or start after them"
        )
    if absent:
        notes.append(f"{absent} of {length} steps have no row; the values before them are carried on.")
    grid = np.full((length, len(names)), np.nan)
    for index, name in enumerate(names):
        grid[found.places, index] = _numbers(frame[name])
    begun = _begin(grid, names)
    if begun:
        notes.append(f"The first {begun} steps are left out: not every series has begun.")
    notes += [
        f"Column {name!r} misses {count} values; the values before them are carried on."
        for name, count in zip(names, _missing(frame, names, found.places >= begun), strict=True)
        if count
    ]
    filled = pl.from_numpy(grid[begun:]).with_columns(pl.all().fill_nan(None).forward_fill()).to_numpy()
    return Regular(
        values=np.array(filled, order="C"),  # a copy: polars may lend memory that must not be written to
        places=found.places - begun,
        step=found.step,
        last=times[-1:],
        notes=tuple(notes),
    )


def _numbers(series: pl.Series) -> NDArray[np.float64]:
    """A number column as float64, NaN where missing."""
    found = tidy(series)
    if not (found.dtype.is_numeric() or found.null_count() == len(found)):
        shown = found.drop_nulls().head(1).to_list()
        raise DataError(
            f"column {series.name!r} cannot be forecast: expected numbers, got {found.dtype} such as {shown[0]!r}"
        )
    return found.cast(pl.Float64).to_numpy()


def _begin(grid: NDArray[np.float64], names: Sequence[str]) -> int:
    """The first step by which every series has had a value."""
    present = ~np.isnan(grid)
    first = np.where(present.any(0), present.argmax(0), len(grid))
    latest = int(first.argmax())
    share = 1 - present.mean(0)
    worst = int(share.argmax())
    if share[worst] > MOST_MISSING:
        raise DataError(
            f"column {names[worst]!r} has no value in {share[worst]:.0%} of the steps, more than {MOST_MISSING:.0%}; "
            "leave it out by naming the others as target, or begin where it begins"
        )
    return int(first[latest])


def _missing(frame: pl.DataFrame, names: Sequence[str], kept: NDArray[np.bool_]) -> list[int]:
    """Values that rows of the table lack, of each column."""
    return [int((np.isnan(_numbers(frame[name])) & kept).sum()) for name in names]
