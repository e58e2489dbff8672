"""Schema of a table: what is learned of each training column, and the encoding of columns as tensors by it.

A *schema* is saved with the model: scales and levels are fitted on the training rows only, `columns` describes the
whole table for a reader. Numbers, and the parts of date-times, become one float32 matrix (row, number) with NaN for a
missing value; categories and Booleans become one int32 matrix (row, category) whose code 0 means "missing or not in
training".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from evenkeel.data.columns import USED, Column, describe, tidy, tidy_text
from evenkeel.data.dates import DatePart, date_parts
from evenkeel.data.scale import ColumnScale, apply_scale, fit_scale
from evenkeel.errors import DataError, choices
from evenkeel.shapes import Tensor

# A level that occurs fewer times than this in training shares code 0 with unknown ones, which trains that code.
RARE = 3


class Frozen(BaseModel):
    """Base of saved values: validated when read, and immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSchema(Frozen):
    """Base of what is learned of the training rows of one `kind` of data; `columns` describe it for a reader."""

    kind: str
    columns: tuple[Column, ...]

    def places(self) -> dict[str, list[tuple[str, int]]]:
        """Column -> the fields, and the places in them, that it alone fills; empty where no column is an input."""
        return {}


class NumberFeature(Frozen):
    """One number fed to the network: a number column, or one part of a date-time column, and its scale."""

    column: str
    part: DatePart
    scale: ColumnScale


class CategoryFeature(Frozen):
    """One category fed to the network: its levels as text; level i has code i + 1."""

    column: str
    levels: tuple[str, ...]


class Schema(DataSchema):
    """Schema of a table: its columns, and the features made of them, in the order the network expects."""

    kind: str = "table"
    numbers: tuple[NumberFeature, ...]
    categories: tuple[CategoryFeature, ...]

    @property
    def used(self) -> tuple[str, ...]:
        """Names of the columns that feed the network."""
        return tuple(column.name for column in self.columns if column.kind in USED)

    @property
    def levels(self) -> tuple[int, ...]:
        """Number of codes of each category feature, code 0 included."""
        return tuple(len(feature.levels) + 1 for feature in self.categories)

    @override
    def places(self) -> dict[str, list[tuple[str, int]]]:
        places: dict[str, list[tuple[str, int]]] = {}
        for index, number in enumerate(self.numbers):
            places.setdefault(number.column, []).append(("numbers", index))
        for index, category in enumerate(self.categories):
            places.setdefault(category.column, []).append(("categories", index))
        return places


class Inputs(Frozen):
    """The features of a table as tensors on the CPU."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    numbers: torch.Tensor
    categories: torch.Tensor

    def mapping(self) -> dict[str, Tensor]:
        """Map the names of the network's arguments to the tensors."""
        return {"numbers": self.numbers, "categories": self.categories}


def fit_schema(frame: pl.DataFrame, train: NDArray[np.int64]) -> Schema:
    """Learn kinds, scales and levels from the training rows of a frame that holds the feature columns only.

    Raises:
        DataError: no column can be used.

    Example:
        >>> frame = pl.DataFrame({"size": [1.0, 2.0, 4.0, 3.0], "town": ["Bonn", "Bonn", "Bonn", "Trier"]})
        >>> schema = fit_schema(frame, np.arange(3))
        >>> schema.used, schema.categories[0].levels
        (('size', 'town'), ('Bonn',))
        >>> encode(schema, frame).categories[:, 0].tolist()
        [1, 1, 1, 0]
    """
    columns: list[Column] = []
    numbers: list[NumberFeature] = []
    categories: list[CategoryFeature] = []
    for name in frame.columns:
        series = tidy(frame[name])
        column = describe(series)
        rows = series.gather(train)
        if column.kind in USED and rows.null_count() == len(rows):
            column = column.model_copy(update={"kind": "empty", "note": "left out: no value in the training rows"})
        columns.append(column)
        if column.kind in ("number", "datetime"):
            numbers += _fit_numbers(rows, column)
        elif column.kind in ("category", "boolean"):
            categories.append(_fit_category(rows))
    if not numbers and not categories:
        reasons = "; ".join(f"{column.name}: {column.note}" for column in columns[:6]) or "there are no feature columns"
        raise DataError(f"no column can be used to predict the target ({reasons})")
    return Schema(columns=tuple(columns), numbers=tuple(numbers), categories=tuple(categories))


def _fit_numbers(rows: pl.Series, column: Column) -> list[NumberFeature]:
    """Learn one feature of a number column; of a date-time column its position in time and the phases that vary."""
    if column.kind == "number":
        return [NumberFeature(column=column.name, part="value", scale=fit_scale(_as_float(rows)))]
    features = []
    for part, values in date_parts(rows).items():
        if np.nanmax(values) - np.nanmin(values) > 1e-6:
            features.append(NumberFeature(column=column.name, part=part, scale=fit_scale(values)))
    return features


def _fit_category(rows: pl.Series) -> CategoryFeature:
    """Learn the levels that occur often enough in training, the commonest first; all of them where all are rare."""
    counts = rows.drop_nulls().cast(pl.String).value_counts(sort=True)
    counts = counts.sort(["count", counts.columns[0]], descending=[True, False])
    common = counts.filter(pl.col("count") >= RARE)
    chosen = common if common.height else counts
    return CategoryFeature(column=rows.name, levels=tuple(chosen[rows.name].to_list()))


def _as_float(series: pl.Series) -> NDArray[np.float64]:
    """Convert numbers to float64, with NaN for null."""
    return series.cast(pl.Float64).to_numpy().astype(np.float64, copy=False)


def encode(schema: Schema, frame: pl.DataFrame) -> Inputs:
    """Encode a frame that has the schema's columns, in any order; further columns are ignored.

    Raises:
        DataError: a column is missing, or holds text where training had numbers.
    """
    require_columns(schema.used, frame.columns)
    numbers = torch.empty(frame.height, len(schema.numbers))
    parts: dict[str, dict[DatePart, NDArray[np.float64]]] = {}
    for index, feature in enumerate(schema.numbers):
        if feature.part == "value":
            values = _read_numbers(frame[feature.column])
        else:
            if feature.column not in parts:
                parts[feature.column] = date_parts(_read_dates(frame[feature.column]))
            values = parts[feature.column][feature.part]
        numbers[:, index] = torch.from_numpy(apply_scale(values, feature.scale))
    categories = torch.zeros(frame.height, len(schema.categories), dtype=torch.int32)
    for index, category in enumerate(schema.categories):
        categories[:, index] = torch.from_numpy(_codes(frame[category.column], category))
    return Inputs(numbers=numbers, categories=categories)


def require_columns(names: Sequence[str], present: Sequence[str]) -> None:
    """Refuse data that lack a column that training used."""
    absent = [name for name in names if name not in present]
    if absent:
        hint = choices(present, absent[0])
        raise DataError(f"the data lacks {len(absent)} column(s) that training used: {absent[:8]}; {hint}")


def _read_numbers(series: pl.Series) -> NDArray[np.float64]:
    """Read a column that held numbers in training."""
    values = tidy(series)
    if values.dtype == pl.String and values.null_count() < len(values):
        raise DataError(
            f"column {series.name!r} was numbers in training; now it holds text such as {values.drop_nulls()[0]!r}. "
            "Write the value as a number or leave the cell empty"
        )
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean or values.null_count() == len(values)):
        raise DataError(
            f"column {series.name!r} was numbers in training; now it holds {values.dtype}; expected numbers as before"
        )
    return _as_float(values)


def _read_dates(series: pl.Series) -> pl.Series:
    """Read a column that held date-times in training."""
    values = tidy(series)
    if values.null_count() == len(values):
        return pl.Series(series.name, [None] * len(values), dtype=pl.Datetime("us"))
    if not values.dtype.is_temporal() or values.dtype == pl.Duration:
        raise DataError(
            f"column {series.name!r} was date-times in training; now it holds {values.dtype}. Try 2024-12-31 13:45:00"
        )
    return values


def _codes(series: pl.Series, feature: CategoryFeature) -> NDArray[np.int32]:
    """Encode values as the codes of their levels; 0 for missing values and for unknown ones.

    The text is taken as it is: one new row with `01` or `2024-01-31` must not be read as a number or a date where
    training had these among other words. Values that come as numbers are matched by value: 1.0 is the level `1`.
    """
    known: dict[str, int] = {level: code for code, level in enumerate(feature.levels, start=1)}
    truths = set(feature.levels) <= {"true", "false"}
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Duration):
        raise DataError(f"column {series.name!r} was words in training; now it holds {series.dtype}; expected text")
    if series.dtype.is_numeric():
        numbers = [_number(level, truths) for level in feature.levels]
        by_value = {number: code for code, number in enumerate(numbers, start=1) if number is not None}
        values, table = series.cast(pl.Float64).fill_nan(None), by_value
    else:
        values = tidy_text(series)
        values = values.str.to_lowercase() if truths else values
        table = known | ({level.lower(): code for level, code in known.items()} if series.dtype == pl.Boolean else {})
    codes = values.replace_strict(list(table), list(table.values()), default=0, return_dtype=pl.Int32)
    return codes.fill_null(0).to_numpy().copy()


def _number(level: str, truths: bool) -> float | None:
    """Convert a level to a number, truth values to 1 and 0; None where it is not one."""
    if truths:
        return float(level == "true")
    try:
        return float(level)
    except ValueError:
        return None
