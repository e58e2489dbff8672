"""Kinds of columns: number, category, Boolean, date-time, or one that is left out, with the reason.

A network can use numbers, categories, Booleans and date-times. It cannot use a column that never changes, one that
numbers the rows, or free text; those are left out with a note that a person can read and overrule by changing the data.
"""

from __future__ import annotations

from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict

ColumnKind = Literal["number", "category", "boolean", "datetime", "constant", "identifier", "text", "empty"]
# Kinds of examples that are not columns of a table.
ExampleKind = Literal["image", "sequence", "series", "graph"]

USED: tuple[ColumnKind, ...] = ("number", "category", "boolean", "datetime")
# Words that stand for "no value" in files people write by hand; compared in lower case after trimming.
MISSING_WORDS = ("", "?", "na", "n/a", "nan", "null", "none", "nil", "-", "--", ".", "missing", "#n/a")
# A text column with more distinct values than this share of its rows carries names, not categories.
DISTINCT_SHARE = 0.5
# Fewer rows than this say little about whether values repeat.
ROWS_TO_JUDGE = 30
# A mean length beyond this many characters, with spaces, is prose.
PROSE_LENGTH = 30
MOST_LEVELS = 10_000
# Besides names with the word "id" in them.
ID_NAMES = ("index", "row", "rowid", "rownames", "passengerid", "unnamed: 0")
# `1,234,567.8`: digits grouped by threes. Anything else with a comma stays text.
GROUPED_NUMBER = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"
SIGNED_CURRENCY = r"^([+-]?)\s*[$€£¥]\s*"
TRAILING_UNITS = "%$€£¥ "
# `%.f` is a fraction of a second or nothing. 03/04/2024 is ambiguous: read as month/day, the only format with slashes.
DATE_FORMS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%d.%m.%Y",
    "%m/%d/%Y",
)
# A text column of which this share reads as numbers is rather a number column with typing errors in it.
MOSTLY_NUMBERS = 0.9


class Column(BaseModel):
    """One column: its kind, how many values are missing, some values, and a note why it is left out, if it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: ColumnKind | ExampleKind
    missing: int
    examples: tuple[str, ...]
    note: str = ""


def tidy(series: pl.Series) -> pl.Series:
    """Convert values to the plainest type: trimmed text, missing words as null, text parsed as numbers and dates.

    Infinite numbers count as missing. Text becomes numbers only if every value that is present reads as one.

    Example:
        >>> tidy(pl.Series("price", ["1,234", " 5.5 ", "?"])).to_list()
        [1234.0, 5.5, None]
    """
    series = tidy_infinite(series)
    if series.dtype.is_float():
        series = series.to_frame().select(pl.when(pl.all().is_finite()).then(pl.all())).to_series()
    return series


def tidy_infinite(series: pl.Series) -> pl.Series:
    """Tidy as `tidy` does, but keep infinite numbers."""
    if series.dtype in (pl.Categorical, pl.Enum, pl.Object, pl.String):
        return _read_text(tidy_text(series))
    if series.dtype.is_decimal():
        return series.cast(pl.Float64)
    return series.fill_nan(None) if series.dtype.is_float() else series


def tidy_text(series: pl.Series) -> pl.Series:
    """Trim text and put null for missing words, without parsing numbers or dates."""
    series = _text_of_objects(series) if series.dtype == pl.Object else series.cast(pl.String)
    text = series.str.strip_chars()
    return text.to_frame().select(pl.when(~pl.all().str.to_lowercase().is_in(MISSING_WORDS)).then(pl.all())).to_series()


def _text_of_objects(series: pl.Series) -> pl.Series:
    """Convert objects of any Python type to text; None stays."""
    return pl.Series(series.name, [None if value is None else str(value) for value in series], dtype=pl.String)


def _read_text(text: pl.Series) -> pl.Series:
    """Parse text as numbers, date-times or truth values if every value that is present reads as one."""
    present = text.len() - text.null_count()
    if present == 0:
        return text
    for read in (_numbers, _datetimes, _truths):
        values = read(text)
        if values.len() - values.null_count() == present:
            return values
    return text


def _numbers(text: pl.Series) -> pl.Series:
    """Parse text as float64, `1,234`, `12%` and `$5` included; null where it does not read as a number."""
    plain = text.str.replace(SIGNED_CURRENCY, "${1}").str.strip_chars_end(TRAILING_UNITS)
    grouped = plain.str.contains(GROUPED_NUMBER).fill_null(False)
    plain = plain.str.replace_all(",", "").zip_with(grouped, plain) if grouped.any() else plain
    return plain.cast(pl.Float64, strict=False)


def _datetimes(text: pl.Series) -> pl.Series:
    """Parse text as date-times if all of it has one of the usual formats, else return nulls."""
    plain = text.str.strip_suffix("Z")
    for form in DATE_FORMS:
        moments = plain.str.to_datetime(form, strict=False, exact=True)
        if moments.null_count() == text.null_count():
            return moments
    return pl.Series(text.name, [None] * len(text), dtype=pl.Datetime)


def _truths(text: pl.Series) -> pl.Series:
    """Parse `true` and `false` in any case as Booleans."""
    return text.str.to_lowercase().replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)


def describe(series: pl.Series) -> Column:
    """Describe a tidied column: its kind, and a note with the reason where it is left out.

    Example:
        >>> describe(pl.Series("country", ["DE", "DE", "DE"])).note
        'left out: the same value in every row'
    """
    present = series.drop_nulls()
    distinct = present.n_unique()
    examples = tuple(_show(value) for value in present.unique(maintain_order=True).head(3).to_list())
    kind, note = _judge(series, present, distinct)
    return Column(name=series.name, kind=kind, missing=series.null_count(), examples=examples, note=note)


def _show(value: object) -> str:
    """Format a value as a person would write it in a table, shortened."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _judge(series: pl.Series, present: pl.Series, distinct: int) -> tuple[ColumnKind, str]:
    """Judge the kind and the note of a column."""
    if distinct == 0:
        return "empty", "left out: no value is present"
    if distinct == 1 and series.null_count() == 0:
        return "constant", "left out: the same value in every row"
    if series.dtype == pl.Boolean:
        return "boolean", ""
    if series.dtype.is_temporal():
        return ("text", "left out: a duration") if series.dtype == pl.Duration else ("datetime", "")
    if series.dtype.is_numeric():
        return _judge_numbers(present, distinct)
    if series.dtype == pl.String:
        return _judge_text(present, distinct)
    return "text", f"left out: values of type {series.dtype} are not read"


def _judge_numbers(present: pl.Series, distinct: int) -> tuple[ColumnKind, str]:
    """Tell row numbers (whole, never repeated, counting by one or named an id) from measurements."""
    whole = present.dtype.is_integer() or bool((present == present.round()).all())
    if len(present) < ROWS_TO_JUDGE or distinct < len(present) or not whole:
        return "number", ""
    name = present.name.lower()
    named = "id" in name.replace("-", "_").split("_") or name in ID_NAMES
    counts = present.cast(pl.Float64).diff().drop_nulls().abs().max() == 1
    return ("identifier", "left out: it numbers the rows") if named or counts else ("number", "")


def _judge_text(present: pl.Series, distinct: int) -> tuple[ColumnKind, str]:
    """Tell categories, whose values repeat, from names and prose."""
    lengths = present.str.len_chars().mean() or 0.0
    spaced = float(present.str.contains(" ").mean() or 0.0)  # type: ignore[arg-type]
    rare = len(present) >= ROWS_TO_JUDGE and distinct > DISTINCT_SHARE * len(present)
    if not rare and distinct <= MOST_LEVELS:
        return "category", ""
    if float(lengths) > PROSE_LENGTH / 2 and spaced > 0.5:  # type: ignore[arg-type]
        return "text", "left out: free text"
    slips = present.filter(_numbers(present).is_null())
    if len(slips) <= (1 - MOSTLY_NUMBERS) * len(present):
        return "text", (
            f"left out: {len(present) - len(slips)} of {len(present)} values are numbers, the others are text such as "
            f"{slips[0]!r}; write them as numbers or leave them empty"
        )
    return "identifier", f"left out: {distinct} different values in {len(present)} rows name the rows"
