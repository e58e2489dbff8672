"""Read the time column of a table as moments or numbers, sort it, and refuse what is wrong with it.

Months without a day, `2000-01`, stand for their first day. Rows may come in any order; a time that repeats is refused:
rows of one time are several series below one another, in no known order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenkeel.data.columns import DATE_FORMS, tidy, tidy_text
from evenkeel.data.table import read_table
from evenkeel.errors import DataError

MONTH = r"^\d{4}-\d{2}$"
# A text column of which this share reads as times is rather a time column with a slip in it.
MOSTLY_TIMES = 0.5
# The index of a pandas frame that holds times; recognised by name, so that pandas need not be imported.
TIME_INDEX = ("DatetimeIndex", "PeriodIndex")


@dataclass(frozen=True, kw_only=True)
class InOrder:
    """A table whose rows ascend in time: the frame, its times, the original number of each row, and notes."""

    frame: pl.DataFrame
    times: pl.Series
    rows: NDArray[np.int64]
    notes: tuple[str, ...]


def read_frame(data: Any, time: str | None) -> pl.DataFrame:
    """Read any table; an index of times of a pandas frame becomes its first column.

    Args:
        data: see `read_table`.
        time: name of the time column, if it is known: the index gets it where no column has it.
    """
    index: Any = getattr(data, "index", None)
    if type(index).__name__ not in TIME_INDEX or time in data.columns:
        return read_table(data)
    name = time or next(each for each in (index.name, "time", "index") if each and each not in data.columns)
    stamps = index.to_timestamp() if type(index).__name__ == "PeriodIndex" else index
    plain = data.reset_index(drop=True)
    plain.insert(0, name, stamps)
    return read_table(plain)


def read_times(series: pl.Series) -> pl.Series:
    """Read a column as moments or numbers if all that is present reads as such, else as text.

    Example:
        >>> read_times(pl.Series("month", ["2000-01", "2000-02"])).to_list()
        [datetime.date(2000, 1, 1), datetime.date(2000, 2, 1)]
    """
    times = tidy(series)
    if times.dtype != pl.String or not times.str.contains(MONTH).all():
        return times
    days = (times + "-01").str.to_date("%Y-%m-%d", strict=False)
    return days if days.null_count() == times.null_count() else times


def require_times(series: pl.Series) -> pl.Series:
    """Read a column as moments or numbers.

    Raises:
        DataError: it holds something else, in some row or in all.
    """
    times = read_times(series)
    if holds_moments(times) or times.dtype.is_numeric():
        return times
    refuse_slips(series)
    example = times.drop_nulls().head(1).to_list()
    raise DataError(
        f"time column {series.name!r} must hold dates, moments or numbers, got {times.dtype}"
        f"{f' such as {example[0]!r}' if example else ''}; write times as 2024-12-31 13:45:00"
    )


def holds_moments(times: pl.Series) -> bool:
    """Whether a column that was read holds dates or moments."""
    return times.dtype == pl.Date or isinstance(times.dtype, pl.Datetime)


def counts_steps(times: pl.Series) -> bool:
    """Whether whole numbers go up by one constant step from row to row.

    Example:
        >>> counts_steps(pl.Series([5, 10, 15])), counts_steps(pl.Series([5, 10, 16]))
        (True, False)
    """
    if not times.dtype.is_integer() or len(times) < 3 or times.null_count():
        return False
    steps = np.diff(times.cast(pl.Int64).to_numpy())
    return bool(steps[0] > 0 and (steps == steps[0]).all())


def refuse_slips(series: pl.Series, among: Literal["times", "moments"] = "times") -> None:
    """Refuse text of which most, but not all, reads as times: as moments, or besides them as numbers.

    Raises:
        DataError: a row holds no time; the message names the first.
    """
    text = tidy_text(series) if series.dtype == pl.String else pl.Series(series.name, [], dtype=pl.String)
    present = len(text) - text.null_count()
    plain = text.str.strip_suffix("Z")
    readings = [plain.str.to_datetime(form, strict=False, exact=True).is_not_null() for form in DATE_FORMS]
    readings.append(plain.str.contains(MONTH).fill_null(False))
    if among == "times":
        readings.append(plain.cast(pl.Float64, strict=False).is_not_null())
    best = max(readings, key=lambda read: int(read.sum()))
    slips = (~best & text.is_not_null()).arg_true()
    if not len(slips) or len(slips) >= (1 - MOSTLY_TIMES) * present:
        return
    row = slips[0]
    raise DataError(
        f"time column {series.name!r} must hold a time in every row; row {row} holds {series[row]!r}"
        f"{_more(len(slips))}; write it like the others, such as {text.filter(best)[0]!r}, or leave such rows out"
    )


def _more(count: int) -> str:
    return f", and {count - 1} more are no times" if count > 1 else ""


def in_order(frame: pl.DataFrame, time: str) -> InOrder:
    """Sort the rows by their times, with a note if they were not sorted.

    Raises:
        DataError: a row without a time, a time that stands in several rows, or a column that holds something else.

    Example:
        >>> in_order(pl.DataFrame({"day": ["2024-01-02", "2024-01-01"], "load": [2, 1]}), "day").frame["load"].to_list()
        [1, 2]
    """
    times = require_times(frame[time])
    if times.null_count():
        missing = times.is_null().arg_true()
        row = missing[0]
        raise DataError(
            f"time column {time!r} must hold a time in every row; row {row} holds {frame[time][row]!r}"
            f"{_more(len(missing))}; fill it in, or leave such rows out"
        )
    rows = np.arange(len(times))
    notes: tuple[str, ...] = ()
    if not times.is_sorted():
        rows = np.argsort(times.to_physical().to_numpy(), kind="stable")
        frame, times = frame[rows], times[rows]
        notes = (f"Rows are not in the order of time: they are sorted by {time!r}.",)
    repeated = (times == times.shift(1)).fill_null(False)
    if repeated.any():
        _refuse_repeated(frame, times, int(repeated.arg_true()[0]), rows)
    return InOrder(frame=frame, times=times, rows=rows, notes=notes)


def _refuse_repeated(frame: pl.DataFrame, times: pl.Series, place: int, rows: NDArray[np.int64]) -> None:
    """Refuse a time in several rows; the message names a column that may name several series."""
    time = times.name
    message = (
        f"time {frame[time][place]} stands in more than one row of {time!r} (rows {rows[place - 1]} and {rows[place]})"
    )
    for name in _names_first(frame, time):
        if pl.DataFrame([times, frame[name]]).n_unique() == frame.height:
            numbers = [each for each in frame.columns if each not in (time, name) and frame[each].dtype.is_numeric()]
            raise DataError(
                f"{message}; expected one row for each time, but column {name!r} seems to name several series "
                f"({frame[name].n_unique()}); try one table for each of them, or a wide table with a column for each: "
                f"frame.pivot(on={name!r}, index={time!r}, values={(numbers or ['VALUE'])[0]!r}), "
                "in pandas with columns= instead of on="
            )
    raise DataError(f"{message}; keep one row for each time, such as their mean")


def _names_first(frame: pl.DataFrame, time: str) -> Sequence[str]:
    """Columns that may name series, each name in two rows or more on average: words first, then whole numbers."""
    able = [name for name in frame.columns if name != time and frame[name].n_unique() <= frame.height // 2]
    kinds = {name: frame[name].dtype for name in able}
    words = [name for name in able if kinds[name] in (pl.String, pl.Categorical, pl.Enum, pl.Boolean)]
    return [*words, *(name for name in able if kinds[name].is_integer())]
