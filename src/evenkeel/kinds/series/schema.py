"""Series to be forecast: number columns at a regular step, read as windows of each and the steps that follow them.

Every series is forecast from its own past by one and the same network; a series differs by its center and spread,
those of the training steps.  standardised = (value - center) / spread   [no unit]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from evenkeel.data.columns import Column, describe, tidy
from evenkeel.data.fields import Field, Fields
from evenkeel.data.schema import DataSchema, Frozen
from evenkeel.errors import DataError, choices
from evenkeel.kinds.series.business import AnyStep, coming_times
from evenkeel.kinds.series.gaps import MOST_OF_WINDOW, require_known
from evenkeel.kinds.series.moments import in_order
from evenkeel.kinds.series.regular import Regular, regular_series
from evenkeel.kinds.series.windows import SeriesWindows
from evenkeel.shapes import Float, Tensor

OTHERS = "not read: each series is forecast from its own past"


class SeriesScale(Frozen):
    """One series and its scale in training, both numbers rounded to float32, in which the network reads them."""

    column: str
    center: float
    spread: float


class SeriesSchema(DataSchema):
    """The time column and its step, the series in order, window and horizon."""

    kind: str = "series"
    time: str
    step: AnyStep
    window: int
    horizon: int
    series: tuple[SeriesScale, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The series' columns."""
        return tuple(each.column for each in self.series)

    @property
    def scales(self) -> Float[Tensor, "place channel"]:
        """Centers and spreads, float64."""
        return torch.tensor([[each.center, each.spread] for each in self.series], dtype=torch.float64).T


def describe_columns(frame: pl.DataFrame, time: str, target: Sequence[str] | None) -> tuple[Column, ...]:
    """Describe every column, with the reason where it is left out.

    Raises:
        DataError: a target that is not there, or no numbers to forecast.
    """
    for name in target or ():
        if name not in frame.columns or name == time:
            raise DataError(f"there is no series {name!r} to forecast; {choices(_others(frame, time), str(name))}")
    if target is not None and (not target or len(set(target)) < len(target)):
        raise DataError(f"expected one target column, or several different ones, got {list(target)}")
    columns = [_column(tidy(frame[name]), time, target) for name in frame.columns]
    if not any(column.kind == "series" for column in columns):
        reasons = "; ".join(f"{column.name}: {column.note}" for column in columns if column.name != time)
        raise DataError(f"no column can be forecast ({reasons or 'there is none besides the time'})")
    return tuple(columns)


def _others(frame: pl.DataFrame, time: str) -> list[str]:
    return [name for name in frame.columns if name != time]


def _column(series: pl.Series, time: str, target: Sequence[str] | None) -> Column:
    """Describe one column, of kind `series` where it is forecast; a target may look like row numbers."""
    column = describe(series)
    if series.name == time:
        return column.model_copy(update={"note": ""})
    if target is not None:
        if series.name in target:
            return column.model_copy(update={"kind": "series", "note": ""})
        return column.model_copy(update={"note": column.note or OTHERS})
    if column.kind == "number":
        return column.model_copy(update={"kind": "series"})
    return column.model_copy(
        update={"note": column.note or f"left out: a {column.kind} column is no series of numbers"}
    )


def fit_scales(values: NDArray[np.float64], names: Sequence[str]) -> tuple[SeriesScale, ...]:
    """Mean and standard deviation of each column of the training steps; a constant one has spread 1.

    Example:
        >>> fit_scales(np.array([[1.0, 5.0], [3.0, 5.0]]), ["load", "flat"])[0].center
        2.0
    """
    centers, spreads = values.mean(0), values.std(0)
    spreads = np.where(spreads > 1e-12 * np.abs(values).max(0, initial=0.0), spreads, 1.0)
    rounded = zip(names, centers.astype(np.float32), spreads.astype(np.float32), strict=True)
    return tuple(SeriesScale(column=name, center=float(c), spread=float(s)) for name, c, s in rounded)


def window_fields(
    schema: SeriesSchema,
    values: NDArray[np.float64],
    starts: NDArray[np.int64],
    keep: NDArray[np.bool_] | None = None,
) -> tuple[Fields, Field]:
    """Cut windows of every series at `starts`, standardised, and the steps after each as they are.

    `keep` (start, channel) marks those to take; without it all are.

    Rows: all series of the first window, then those of the next. `window` is (row, step), `series` (row,) the number of
    the series; what follows is (row, horizon), in the target's units.
    """
    count = values.shape[1]
    first = torch.from_numpy(starts).repeat_interleave(count)
    series = torch.arange(count).repeat(len(starts))
    if keep is not None:
        kept = torch.from_numpy(keep).flatten()
        first, series = first[kept], series[kept]
    inputs = {"window": SeriesWindows(standardised(schema, values), first, series, schema.window), "series": series}
    return inputs, SeriesWindows(torch.from_numpy(values), first + schema.window, series, schema.horizon)


def standardised(schema: SeriesSchema, values: NDArray[np.float64]) -> Float[Tensor, "time channel"]:
    """(value - center) / spread of each series, float32."""
    center, spread = schema.scales.numpy()
    return torch.from_numpy(((values - center) / spread).astype(np.float32))


def read_further(schema: SeriesSchema, frame: pl.DataFrame, fewest: int) -> Regular:
    """Read the series of the schema from another table, of which not more than half of any may be missing.

    Raises:
        DataError: a column is missing, the step is another one, or there are fewer steps than are needed.
    """
    absent = [name for name in (schema.time, *schema.names) if name not in frame.columns]
    if absent:
        hint = choices(frame.columns, absent[0])
        raise DataError(f"the data lacks {len(absent)} column(s) that training used: {absent[:8]}; {hint}")
    regular = regular_series(frame, schema.time, schema.names, step=schema.step, most_missing=MOST_OF_WINDOW)
    if len(regular.values) < fewest:
        needed = f"a window of {schema.window}" + (
            f" and a horizon of {schema.horizon}" if fewest > schema.window else ""
        )
        raise DataError(
            f"the table has {len(regular.values)} steps; expected at least {needed}; bring earlier rows too"
        )
    return regular


def last_windows(schema: SeriesSchema, frame: pl.DataFrame) -> Fields:
    """The last window of each series, (series, step), from which the steps after the table's end are forecast.

    Raises:
        DataError: the table cannot be read, or more than half of what is read of a series is missing.
    """
    regular = read_further(schema, frame, schema.window)
    require_known(regular.missing[-schema.window :], schema.names)
    values = regular.values[-schema.window :]
    return {"window": standardised(schema, values).T.contiguous(), "series": torch.arange(len(schema.series))}


def times_ahead(schema: SeriesSchema, frame: pl.DataFrame) -> pl.Series:
    """The times of the steps after a table's end, (horizon,)."""
    return coming_times(in_order(frame, schema.time).times[-1:], schema.step, schema.horizon)
