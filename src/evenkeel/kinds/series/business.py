"""Take business days, Monday to Friday, as a regular step: number the days of a column, and give the next ones.

A Friday and the Monday after it are one step apart. Holidays are steps without a row.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenkeel.data.schema import Frozen
from evenkeel.errors import DataError
from evenkeel.kinds.series.times import TimeStep, places_in_time, times_to_come

DAY = TimeStep(unit="microseconds", size=86_400_000_000)
SATURDAY = 6  # of a week that begins with Monday, 1


class BusinessDays(Frozen):
    """Step from one business day to the next."""

    unit: Literal["business-days"] = "business-days"
    size: float = 1.0

    @property
    def text(self) -> str:
        """The step in words."""
        return "1 business day"


AnyStep = TimeStep | BusinessDays


def step_of(times: pl.Series, expected: AnyStep | None) -> tuple[AnyStep, NDArray[np.int64]]:
    """The regular step of ascending times, and the number of steps from the first to each.

    Days of which all weekends, and no others but a few, are missing are business days.

    Args:
        times: one a row, ascending.
        expected: the step that others have; any without.

    Raises:
        DataError: no regular step, or another one than is expected.

    Example:
        >>> days = pl.Series("day", ["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"]).str.to_date()
        >>> step_of(days, None)[0].text, step_of(days, None)[1].tolist()
        ('1 business day', [0, 1, 2, 3])
    """
    steps = places_in_time(times)
    business = _places(times) if steps.step == DAY else None
    # Within one week business days and days are the same.
    differs = business is not None and business[-1] != steps.places[-1]
    if business is not None and (differs if expected is None else isinstance(expected, BusinessDays)):
        return BusinessDays(), business
    if expected is not None and steps.step != expected:
        if isinstance(expected, BusinessDays) and steps.step == DAY:
            raise DataError(
                f"{times.name!r} has rows on Saturdays or Sundays; training had business days alone; leave these out"
            )
        raise DataError(f"rows are {steps.step.text} apart; training had {expected.text}; bring the table to that step")
    if expected is not None and differs:
        raise DataError(
            f"rows are 1 business day apart; training had {expected.text}; bring rows of Saturdays and Sundays too"
        )
    return steps.step, steps.places


def _places(times: pl.Series) -> NDArray[np.int64] | None:
    """Number of business days after the first one; None where rows fall on a weekend, or at another time of day."""
    moments = _local(times)
    if (times.dt.weekday() >= SATURDAY).any() or moments.dt.time().n_unique() > 1:
        return None
    days = moments.dt.date().to_numpy().astype("datetime64[D]")
    return np.busday_count(days[0], days).astype(np.int64)


def _local(times: pl.Series) -> pl.Series:
    """Local calendar time."""
    zoned = isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is not None
    return (times.dt.replace_time_zone(None) if zoned else times).cast(pl.Datetime("us"))


def coming_times(last: pl.Series, step: AnyStep, count: int) -> pl.Series:
    """The next moments after the last row's, of the same type; `last` has one value.

    Example:
        >>> friday = pl.Series("day", ["2024-01-05"]).str.to_date()
        >>> [str(day) for day in coming_times(friday, BusinessDays(), 2)]
        ['2024-01-08', '2024-01-09']
    """
    if not isinstance(step, BusinessDays):
        return times_to_come(last, step, count)
    today = _local(last)
    day = today.dt.date().to_numpy().astype("datetime64[D]")[0]
    ahead = (np.busday_offset(day, np.arange(1, count + 1)) - day).astype(np.int64)
    moments = today[0] + pl.Series(last.name, ahead * int(DAY.size)).cast(pl.Duration("us"))
    if isinstance(last.dtype, pl.Datetime):
        moments = moments.dt.replace_time_zone(last.dtype.time_zone)
    return moments.cast(last.dtype).rename(last.name)
