"""Encoding of the target column as a tensor, and its levels, by which codes become the original values again.

number   float64 (row,)         class   int64 (row,), 0..classes-1         labels   float32 (row, label), 0 or 1

groups   int64 (row,), the same where rows belong together          pairs   int64 (row,), the same where pairs are alike

Targets that are not columns: series, the steps to come (row, horizon); tokens, the next one of each (row, step);
inputs, the example itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
import torch

from evenkeel.data.columns import tidy
from evenkeel.data.schema import Frozen
from evenkeel.errors import DataError, choices
from evenkeel.shapes import Tensor

TargetKind = Literal["number", "class", "labels", "series", "tokens", "groups", "pairs", "inputs"]
Level = bool | int | float | str
# Beyond this a "class" is rather a name, and the head would have more outputs than most tables have rows.
MOST_CLASSES = 1000


class Target(Frozen):
    """Target of the prediction: its columns, its kind, and for classes and labels the value behind each code.

    `size` counts what is no level: steps to come, or tokens of a vocabulary.
    """

    columns: tuple[str, ...]
    kind: TargetKind
    levels: tuple[Level, ...] = ()
    size: int = 0

    @property
    def name(self) -> str:
        """Name of the column, or of all columns together."""
        return ", ".join(self.columns) if len(self.columns) <= 3 else f"{len(self.columns)} columns"


def take_target(frame: pl.DataFrame, target: str | Sequence[str]) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Select the target columns, tidied, and their names.

    Raises:
        DataError: a column is not there, none is named, or one twice.
    """
    names = tuple(target) if isinstance(target, Sequence) and not isinstance(target, str) else (target,)
    for name in names:
        if name not in frame.columns:
            raise DataError(f"there is no column {name!r} to predict; {choices(frame.columns, str(name))}")
    if not names or len(set(names)) < len(names):
        raise DataError(f"expected one target column, or several different ones, got {list(names)}")
    return pl.DataFrame([series if series.dtype == pl.List else tidy(series) for series in frame[list(names)]]), names


def present_rows(target: pl.DataFrame) -> np.ndarray:
    """Row numbers in which no target value is missing."""
    return np.flatnonzero(target.select(pl.all_horizontal(pl.all().is_not_null())).to_series().to_numpy())


def fit_target(frame: pl.DataFrame, kind: TargetKind) -> Target:
    """Learn the levels of a tidied target.

    Raises:
        DataError: one value only, values that do not fit the kind, or far too many classes.

    Example:
        >>> frame = pl.DataFrame({"paid": ["yes", "no", "no", "yes"]})
        >>> target = fit_target(frame, "class")
        >>> target.levels, encode_target(target, frame).tolist()
        (('no', 'yes'), [1, 0, 0, 1])
    """
    names = tuple(frame.columns)
    if kind == "labels":
        return Target(columns=names, kind=kind, levels=_label_names(frame))
    if kind == "pairs":
        return Target(columns=names, kind=kind)
    series = frame.to_series()
    present = series.drop_nulls()
    distinct = present.n_unique()
    if distinct < 2:
        only = f" ({present[0]!r})" if len(present) else ""
        raise DataError(f"target {names[0]!r} has {distinct} value(s){only}; there is nothing to learn from it")
    if kind == "number":
        if not series.dtype.is_numeric():
            raise DataError(
                f"target {names[0]!r} must be numbers, got {series.dtype} such as {present[0]!r}; "
                "try task='single-label'"
            )
        return Target(columns=names, kind=kind)
    if kind == "class" and distinct > most_classes(len(present)):
        raise DataError(
            f"target {names[0]!r} has {distinct} different values in {len(present)} rows, too many for classes; "
            "try task='regression', or another target"
        )
    return Target(columns=names, kind=kind, levels=tuple(_plain(value) for value in present.unique().sort().to_list()))


def most_classes(rows: int) -> int:
    """Largest number of classes that so many rows can teach: two rows of each on average."""
    return min(MOST_CLASSES, max(2, rows // 2))


def _plain(value: object) -> Level:
    """Convert a class to a Boolean, a whole number where it is one, or text."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _label_names(frame: pl.DataFrame) -> tuple[str, ...]:
    """Name the labels: by the columns where these hold 0 and 1, by the items where a column holds lists."""
    if frame.width == 1 and frame.dtypes[0] == pl.List:
        names = frame.to_series().explode().drop_nulls().cast(pl.String).unique().sort().to_list()
        if len(names) < 2:
            raise DataError(f"target {frame.columns[0]!r} holds {len(names)} different label(s); expected two or more")
        return tuple(names)
    for series in frame:
        values = set(series.drop_nulls().unique().to_list())
        if not values <= {0, 1}:
            raise DataError(
                f"target column {series.name!r} must hold 0 and 1 to be a label, got {sorted(map(str, values))[:5]}; "
                "try another column, or one target alone for numbers and classes"
            )
    return tuple(frame.columns)


def encode_target(target: Target, frame: pl.DataFrame) -> Tensor:
    """Encode a tidied target frame as a tensor in the shape and type of its kind.

    Raises:
        DataError: a class that does not occur in training, or an infinite or missing number.
    """
    if target.kind == "number":
        values = frame.to_series()
        if not values.dtype.is_numeric() or values.null_count():
            raise DataError(f"target {target.name!r} must hold a finite number in every row")
        return torch.from_numpy(values.cast(pl.Float64).to_numpy().copy())
    if target.kind == "labels":
        return _encode_labels(target, frame)
    if target.kind == "pairs":
        return torch.from_numpy(frame.to_series().cast(pl.Int64).to_numpy().copy())
    text = frame.to_series()
    codes = {level: code for code, level in enumerate(target.levels)}
    # A few new rows may read as numbers or dates where training had words among them: then the text decides.
    words = {str(level): code for level, code in codes.items()}
    values = text.unique(maintain_order=True).to_list()
    table = {value: codes.get(_plain(value), words.get(str(_plain(value)))) for value in values}
    unknown = [value for value, code in table.items() if code is None]
    if target.kind == "groups":  # new groups are as good as known ones: only who belongs with whom matters
        table |= {value: len(codes) + place for place, value in enumerate(unknown)}
    elif unknown:
        raise DataError(f"target {target.name!r} holds {unknown[:5]!r}, not among its classes {target.levels[:10]!r}")
    return torch.tensor([table[value] for value in text.to_list()], dtype=torch.int64)


def _encode_labels(target: Target, frame: pl.DataFrame) -> Tensor:
    """Encode 0/1 columns as they are, lists as one column for each label."""
    if len(target.columns) > 1 or frame.dtypes[0] != pl.List:
        return torch.from_numpy(frame.select(pl.all().cast(pl.Float32)).to_numpy().copy())
    items = [set(map(str, row or ())) for row in frame.to_series().to_list()]
    return torch.tensor([[float(level in row) for level in target.levels] for row in items])
