"""Infer the regular step of moments, number the moments by it, and give the next ones.

A step is a length of time, or whole months, whose lengths differ, or a plain number. Moments with a time zone are
counted in universal time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenkeel.data.schema import Frozen
from evenkeel.errors import DataError

# A moment may be off by this share of a step: decimal fractions of a second are rounded in files.
TOLERANCE = 1e-3
UNITS = (("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000), ("ms", 1_000))


class TimeStep(Frozen):
    """Step between rows: so many microseconds, months (same day, or last of the month), or a plain number."""

    unit: Literal["microseconds", "months", "month-ends", "number"]
    size: float

    @property
    def text(self) -> str:
        """The step in words: `15 min`, `1 month`, `0.5`."""
        if self.unit == "number":
            return f"{self.size:g}"
        if self.unit != "microseconds":
            return f"{self.size:g} month{'s' if self.size > 1 else ''}"
        name, length = next((each for each in UNITS if self.size >= each[1]), ("us", 1))
        return f"{self.size / length:g} {name}"


@dataclass(frozen=True, kw_only=True)
class Places:
    """The step, and the number of steps from the first row to each, ascending."""

    step: TimeStep
    places: NDArray[np.int64]


def places_in_time(times: pl.Series) -> Places:
    """Number the rows by the regular step that most of them follow.

    Raises:
        DataError: a time is missing, not later than the one before, or lies between two steps; or fewer than 3 rows.

    Example:
        >>> found = places_in_time(pl.Series("day", ["2024-01-01", "2024-01-02", "2024-01-04"]).str.to_date())
        >>> found.step.text, found.places.tolist()
        ('1 d', [0, 1, 3])
    """
    if times.null_count() or len(times) < 3:
        what = (
            f"{times.null_count()} of its {len(times)} rows have none" if len(times) > 2 else f"got {len(times)} rows"
        )
        raise DataError(f"time column {times.name!r} must hold a time in every row of 3 or more; {what}")
    unit = _unit(times)
    axis = _axis(times, unit)
    steps = np.diff(axis)
    if not (steps > 0).all():
        _refuse_order(times, int(np.argmin(steps > 0)) + 1)
    size = np.sort(steps)[(len(steps) - 1) // 2]
    many = np.round(steps / size)
    off = (np.abs(steps / size - many) > TOLERANCE) | (many < 1)
    step = TimeStep(unit=unit, size=float(size))
    if off.any():
        row = int(np.argmax(off)) + 1
        raise DataError(
            f"times in {times.name!r} must follow a regular step; most are {step.text} apart, but row {row} "
            f"({times[row]}) comes {steps[row - 1] / size:.3g} steps after the row before; bring the table to one step "
            "first, such as the mean of every hour"
        )
    return Places(step=step, places=np.concatenate([[0], np.cumsum(many)]).astype(np.int64))


def _unit(times: pl.Series) -> Literal["microseconds", "months", "month-ends", "number"]:
    """Unit of the step: months where each moment is the same day of its month, or the last, at one time of day."""
    if not times.dtype.is_temporal():
        return "number"
    moments = _local(times)
    if moments.dt.time().n_unique() > 1:
        return "microseconds"
    if moments.dt.day().n_unique() == 1:
        return "months"
    return "month-ends" if (moments.dt.month_end() == moments).all() else "microseconds"


def _axis(times: pl.Series, unit: str) -> NDArray[np.float64]:
    """Convert times to numbers, one a unit; microseconds since the first row, so that float64 holds each of them."""
    if unit == "number":
        return times.cast(pl.Float64).to_numpy()
    if unit == "microseconds":
        whole = times.cast(pl.Datetime("us")).to_physical().to_numpy()
        return (whole - whole[0]).astype(np.float64)
    moments = _local(times)
    return (12 * moments.dt.year().cast(pl.Int64) + moments.dt.month()).cast(pl.Float64).to_numpy()


def _local(times: pl.Series) -> pl.Series:
    """Local calendar time: a month begins at midnight there."""
    zoned = isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is not None
    return (times.dt.replace_time_zone(None) if zoned else times).cast(pl.Datetime("us"))


def _refuse_order(times: pl.Series, row: int) -> None:
    """Refuse a time that is not later than the one before."""
    now, before = times[row], times[row - 1]
    if now == before:
        raise DataError(
            f"time {now} stands in more than one row of {times.name!r} (row {row}); keep one row for each time, or "
            "fit each series of a long table by itself"
        )
    raise DataError(
        f"times in {times.name!r} must increase from row to row; row {row} has {now} after {before}; "
        "sort the table by it"
    )


def times_to_come(last: pl.Series, step: TimeStep, count: int) -> pl.Series:
    """The next moments after the last row's, of the same type; `last` has one value.

    Example:
        >>> last = pl.Series("month", ["2024-01-31"]).str.to_date()
        >>> [str(day) for day in times_to_come(last, TimeStep(unit="month-ends", size=1), 2)]
        ['2024-02-29', '2024-03-31']
    """
    ahead = np.arange(1, count + 1) * step.size
    if step.unit == "number":
        numbers = pl.Series(last.name, last.cast(pl.Float64)[0] + ahead)
        return numbers.cast(last.dtype) if last.dtype.is_integer() and step.size % 1 == 0 else numbers
    if step.unit == "microseconds":
        first = last.cast(pl.Datetime("us"))[0]
        moments = first + pl.Series(last.name, ahead.round().astype(np.int64)).cast(pl.Duration("us"))
        return moments.cast(last.dtype).rename(last.name)
    first = _local(last)
    moments = pl.concat([first.dt.offset_by(f"{int(months)}mo") for months in ahead])
    moments = moments.dt.month_end() if step.unit == "month-ends" else moments
    if isinstance(last.dtype, pl.Datetime):
        moments = moments.dt.replace_time_zone(last.dtype.time_zone)
    return moments.cast(last.dtype).rename(last.name)
