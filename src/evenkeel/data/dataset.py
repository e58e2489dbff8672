"""A dataset: all rows as tensors, which of them train, and what is needed to encode new rows the same way.

Tables are the first kind; whatever comes later (images, sequences, graphs) fills the same record. Data that fits in
memory stays one tensor a field and a batch is an index into it: nothing is copied row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import torch

from evenkeel.data.columns import tidy
from evenkeel.data.leakage import leaking_columns
from evenkeel.data.schema import Schema, encode, fit_schema
from evenkeel.data.split import Split, given_split, group_split, random_split, time_split
from evenkeel.data.target import Target, TargetKind, encode_target, fit_target, present_rows, take_target
from evenkeel.errors import DataError, RequestError, choices
from evenkeel.shapes import Tensor

FEWEST_ROWS = 10  # below this no part can be held out and nothing measured
Weighting = str | Sequence[float] | np.ndarray | Mapping[Any, float] | None


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """All rows as tensors on the CPU, their split, and the schema that encodes new rows.

    `inputs` maps the names of the network's arguments to tensors with the row as first axis; `weight` is (row,) or
    None; `notes` are plain sentences about what was left out or looks wrong.
    """

    inputs: Mapping[str, Tensor]
    target: Tensor
    weight: Tensor | None
    split: Split
    schema: Schema
    target_schema: Target
    source: str
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True, kw_only=True)
class SplitRequest:
    """How rows are to be held out: `random`, `time:COL`, `group:COL`, or parts given row by row."""

    how: str | Mapping[str, Sequence[int]] | Sequence[str] = "random"
    validation: float = 0.15
    test: float = 0.15
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A table whose target is set apart and present in every row."""

    features: pl.DataFrame
    target: pl.DataFrame
    rows: np.ndarray
    notes: tuple[str, ...]


def set_target_apart(frame: pl.DataFrame, target: str | Sequence[str]) -> Labelled:
    """Separate the target; rows where it is missing are dropped and counted.

    Raises:
        DataError: no such column, infinite target values, or fewer than 10 rows with a target.
    """
    answers, names = take_target(frame, target)
    for name in names:
        if frame[name].dtype.is_float() and frame[name].is_infinite().any():
            row = int(frame[name].is_infinite().arg_max() or 0)
            raise DataError(f"target {name!r} is infinite in row {row}; correct or remove such rows")
    rows = present_rows(answers)
    if len(rows) < FEWEST_ROWS:
        raise DataError(
            f"expected at least {FEWEST_ROWS} rows with a value of {', '.join(names)!r}, got {len(rows)}; "
            "a part of them must be held out to measure the result"
        )
    dropped = frame.height - len(rows)
    notes = (f"{dropped} of {frame.height} rows have no target value and are left out.",) if dropped else ()
    features = frame.drop(names)
    if dropped:
        features, answers = features[rows], answers[rows]
    return Labelled(features=features, target=answers, rows=rows, notes=notes)


def build_dataset(
    table: Labelled, kind: TargetKind, request: SplitRequest, *, weight: Weighting = None, source: str = "a data frame"
) -> Dataset:
    """Split, fit the schema on the training rows, encode everything, and look for leakage."""
    target_schema = fit_target(table.target, kind)
    target = encode_target(target_schema, table.target)
    split, hidden = _split(table, target, kind, request)
    features, weights = _weights(table, weight, target, target_schema)
    features = features.drop([name for name in hidden if name in features.columns])
    schema = fit_schema(features, split.train)
    inputs = encode(schema, features)
    leaks = leaking_columns(schema, inputs, target, kind, request.seed)
    notes = [*table.notes, *_notes(schema)]
    notes += [
        f"Column {name!r} alone predicts the target almost perfectly ({score:.1%}): possible leakage. Would it be "
        "known at the time of the prediction?"
        for name, score in leaks.items()
    ]
    return Dataset(
        inputs=inputs.mapping(),
        target=target,
        weight=weights,
        split=split,
        schema=schema,
        target_schema=target_schema,
        source=source,
        notes=tuple(notes),
    )


def _notes(schema: Schema) -> list[str]:
    """One sentence for each column that is left out."""
    return [f"Column {column.name!r} is {column.note}." for column in schema.columns if column.note]


def _split(table: Labelled, target: Tensor, kind: TargetKind, request: SplitRequest) -> tuple[Split, tuple[str, ...]]:
    """The split and the columns it used up: a group is a name, not a feature; a time column stays one."""
    shares = {"validation": request.validation, "test": request.test}
    if not isinstance(request.how, str):
        return given_split(_on_present_rows(request.how, table.rows), len(table.rows)), ()
    how, _, column = request.how.partition(":")
    if how == "random" and not column:
        classes = target.numpy() if kind == "class" else None
        return random_split(len(target), **shares, seed=request.seed, classes=classes), ()
    if how not in ("time", "group") or not column:
        raise RequestError(f"split must be 'random', 'time:COLUMN', 'group:COLUMN' or given, got {request.how!r}")
    if column not in table.features.columns:
        raise DataError(f"no column {column!r} to split by; {choices(table.features.columns, column)}")
    series = tidy(table.features[column])
    if how == "group":
        return group_split(series.to_list(), **shares, seed=request.seed, column=column), (column,)
    if series.null_count() or not (series.dtype.is_temporal() or series.dtype.is_numeric()):
        raise DataError(f"column {column!r} must hold a time or a number in every row to split by time")
    return time_split(series.to_physical().cast(pl.Float64).to_numpy(), **shares, column=column), ()


def _on_present_rows(parts: Mapping[str, Sequence[int]] | Sequence[str], rows: np.ndarray) -> Any:
    """A given split speaks of the rows of the table as it came; rows without a target drop out of it."""
    if not isinstance(parts, Mapping):
        words = list(parts)
        return [words[row] for row in rows] if len(words) > int(rows[-1]) else words
    place = {int(row): index for index, row in enumerate(rows)}
    return {part: [place[int(row)] for row in chosen if int(row) in place] for part, chosen in parts.items()}


def _weights(table: Labelled, weight: Weighting, target: Tensor, schema: Target) -> tuple[pl.DataFrame, Tensor | None]:
    """Example weights with mean 1: a column, an array, `balanced`, or a weight for each class."""
    features = table.features
    if weight is None:
        return features, None
    if isinstance(weight, Mapping) or (isinstance(weight, str) and weight == "balanced"):
        return features, _class_weights(weight, target, schema)
    if isinstance(weight, str):
        if weight not in features.columns:
            raise DataError(f"no column {weight!r} to weight by; {choices(features.columns, weight)}")
        values = tidy(features[weight]).cast(pl.Float64).to_numpy()
        features = features.drop(weight)
    else:
        values = np.asarray(weight, dtype=np.float64)
        values = values[table.rows] if len(values) > int(table.rows[-1]) else values
    if values.shape != (len(target),) or not np.isfinite(values).all() or (values < 0).any() or values.sum() == 0:
        raise DataError(f"expected one finite weight >= 0 for each of {len(target)} rows, got shape {values.shape}")
    return features, torch.from_numpy(values / values.mean()).float()


def _class_weights(weight: Mapping[Any, float] | str, target: Tensor, schema: Target) -> Tensor:
    """The weight of each row's class; `balanced` gives every class the same total."""
    if schema.kind != "class":
        raise RequestError("class weights need a single-label target; pass one weight for each row instead")
    if isinstance(weight, str):
        counts = torch.bincount(target, minlength=len(schema.levels)).clamp(min=1)
        of_class = len(target) / (len(schema.levels) * counts.float())
    else:
        unknown = [name for name in weight if name not in schema.levels]
        if unknown:
            raise RequestError(f"class weights name {unknown[:5]!r}; the classes are {schema.levels[:10]!r}")
        of_class = torch.tensor([float(weight.get(level, 1.0)) for level in schema.levels])
    weights = of_class[target]
    return weights / weights.mean()
