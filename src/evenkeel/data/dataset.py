"""A dataset: all rows as fields, which of them train, and what is needed to encode new rows the same way.

Every kind of data fills the same record. Data that fits in memory stays one tensor a field and a batch is an index into
it: nothing is copied row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import polars as pl

from evenkeel.data.columns import tidy, tidy_infinite
from evenkeel.data.fields import Field, Fields
from evenkeel.data.leakage import leaking_columns
from evenkeel.data.schema import DataSchema, Schema, encode, fit_schema
from evenkeel.data.split import (
    GivenParts,
    Split,
    given_split,
    group_split,
    random_split,
    time_split,
    with_validation,
)
from evenkeel.data.target import Target, TargetKind, encode_target, fit_target, present_rows, take_target
from evenkeel.data.weights import BALANCED, Weighting, example_weights
from evenkeel.errors import DataError, RequestError, choices
from evenkeel.shapes import Tensor

FEWEST_ROWS = 10  # below this no part can be held out and nothing measured
LARGEST_TARGET = 1e37  # float32, in which a network predicts, ends at 3.4e38

S_co = TypeVar("S_co", bound=DataSchema, covariant=True)

Augment = Callable[[Mapping[str, Tensor], Tensor, int], Mapping[str, Tensor]]
"""(inputs of a batch, its rows, epoch) -> augmented inputs, as a function of (seed, epoch, row) alone."""


@dataclass(frozen=True, kw_only=True)
class Dataset(Generic[S_co]):
    """All rows as fields on the CPU, their split, and the schema that encodes new rows, which is typed by the kind.

    `inputs` maps the names of the network's arguments to fields of one length, which is that of `target`; `weight` is
    (row,) or None; `notes` are plain sentences about what was left out or looks wrong; `augment` varies the inputs of
    a training batch; `alike` (row,) numbers rows of which an epoch draws one: no two of one number meet in a batch;
    `display` is what the report shows of the examples and no network reads.
    """

    inputs: Fields
    target: Field
    weight: Tensor | None
    split: Split
    schema: S_co
    target_schema: Target
    source: str
    notes: tuple[str, ...] = field(default=())
    augment: Augment | None = None
    alike: Tensor | None = None
    display: Fields = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True, kw_only=True)
class SplitRequest:
    """The rule by which rows are held out: `random`, `time:COL`, `group:COL`, or explicit parts, row by row."""

    how: str | GivenParts = "random"
    validation: float = 0.15
    test: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.seed, (int, np.integer)) or self.seed < 0:
            raise RequestError(f"a seed is a whole number of 0 or more, got {self.seed!r}")


@dataclass(frozen=True, kw_only=True)
class LabelledTable:
    """A table whose target is set apart and present in every row.

    `rows` are the numbers of these rows in the table as it came, which had `height` rows.
    """

    features: pl.DataFrame
    target: pl.DataFrame
    rows: np.ndarray
    height: int
    notes: tuple[str, ...]


def set_target_apart(frame: pl.DataFrame, target: str | Sequence[str]) -> LabelledTable:
    """Separate the target; rows where it is missing are dropped and counted.

    Raises:
        DataError: no such column, infinite target values, or fewer than 10 rows with a target.
    """
    answers, names = take_target(frame, target)
    for name in names:
        _require_finite(tidy_infinite(frame[name]))
    rows = present_rows(answers)
    if len(rows) < FEWEST_ROWS:
        raise DataError(
            f"expected at least {FEWEST_ROWS} rows with a value of {', '.join(map(repr, names))}, got {len(rows)}; "
            "a part of them must be held out to measure the result"
        )
    dropped = frame.height - len(rows)
    notes = (f"{dropped} of {frame.height} rows have no target value and are left out.",) if dropped else ()
    features = frame.drop(names)
    if dropped:
        features, answers = features[rows], answers[rows]
    return LabelledTable(features=features, target=answers, rows=rows, height=frame.height, notes=notes)


def _require_finite(target: pl.Series) -> None:
    """Refuse targets that are infinite, a mistake rather than a gap, or beyond what float32 can predict."""
    if not target.dtype.is_float():
        return
    far = (target.abs() > LARGEST_TARGET).fill_null(False)
    if far.any():
        row = int(far.arg_max() or 0)
        what = "infinite" if np.isinf(target[row]) else f"too large ({target[row]:g})"
        raise DataError(f"target {target.name!r} is {what} in row {row}; correct or remove such rows")


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """A table whose rows are split and whose target is encoded; its features are not encoded yet.

    `features` are the columns that neither split nor weight the rows; `target` is encoded.
    """

    features: pl.DataFrame
    target: Tensor
    target_schema: Target
    split: Split
    weight: Tensor | None
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EncodedRows(Generic[S_co]):
    """All rows, encoded by a schema learned on the training rows, with notes and the augmentation of batches."""

    schema: S_co
    inputs: Fields
    notes: tuple[str, ...] = ()
    augment: Augment | None = None
    display: Fields = field(default_factory=dict)


def hold_out(table: LabelledTable, kind: TargetKind, request: SplitRequest, *, weight: Weighting = None) -> HeldOut:
    """Encode the target of any kind of examples that come with a table of answers, and split its rows.

    Args:
        table: the answers, and the columns that may say how to split and to weight.
        kind: of the target.
        request: how rows are held out.
        weight: see `example_weights`.

    Raises:
        DataError: weights that are not numbers of 0 or more, or no row left for training.
        RequestError: a split that does not exist or makes no sense.
    """
    target_schema = fit_target(table.target, kind)
    target = encode_target(target_schema, table.target)
    split, hidden = split_of(table, target, kind, request)
    weights = example_weights(table.features, weight, target, target_schema, rows=table.rows, height=table.height)
    hidden += (weight,) if isinstance(weight, str) and weight != BALANCED else ()
    return HeldOut(
        features=table.features.drop([name for name in hidden if name in table.features.columns]),
        target=target,
        target_schema=target_schema,
        split=split,
        weight=weights,
        notes=table.notes,
    )


def dataset_of(rows: HeldOut, fitted: EncodedRows[S_co], source: str) -> Dataset[S_co]:
    """Put the encoded target and inputs together; `source` says in the report where they came from."""
    return Dataset(
        inputs=fitted.inputs,
        target=rows.target,
        weight=rows.weight,
        split=rows.split,
        schema=fitted.schema,
        target_schema=rows.target_schema,
        source=source,
        notes=(*rows.notes, *fitted.notes),
        augment=fitted.augment,
        display=fitted.display,
    )


def build_dataset(
    table: LabelledTable,
    kind: TargetKind,
    request: SplitRequest,
    *,
    weight: Weighting = None,
    source: str = "a data frame",
) -> Dataset[Schema]:
    """Build the dataset of a table: split it, learn the schema of the training rows, encode, check for leakage.

    Raises:
        DataError: no usable column, weights that are not numbers of 0 or more, or no row left for training.
        RequestError: a split that does not exist or makes no sense.

    Example:
        >>> from evenkeel.data.table import read_table
        >>> table = set_target_apart(read_table("sample:wine"), "target")
        >>> dataset = build_dataset(table, "class", SplitRequest(validation=0.2, test=0.2))
        >>> len(dataset), dataset.target_schema.levels, len(dataset.split.train)
        (178, ('class_0', 'class_1', 'class_2'), 106)
    """
    rows = hold_out(table, kind, request, weight=weight)
    schema = fit_schema(rows.features, rows.split.train)
    inputs = encode(schema, rows.features).mapping()
    leaks = leakage_notes(schema, inputs, rows.target, kind, request.seed)
    return dataset_of(rows, EncodedRows(schema=schema, inputs=inputs, notes=(*left_out(schema), *leaks)), source)


def _whole_groups(target: Tensor, kind: TargetKind, request: SplitRequest) -> np.ndarray | None:
    """Groups (row,) that a random split must keep whole: those of similar pairs, and those too small to be split.

    A part measures who belongs together only if it holds two rows of one group.
    """
    if kind not in ("groups", "pairs"):
        return None
    shares = [share for share in (request.validation, request.test) if share > 0]
    small = kind == "groups" and len(target) * min(shares, default=1) < 2 * len(target.unique())
    return target.numpy() if kind == "pairs" or small else None


def leakage_notes(
    schema: Schema, inputs: Mapping[str, Tensor], target: Tensor, kind: TargetKind, seed: int
) -> list[str]:
    """Return one sentence for each column that predicts the target almost perfectly by itself."""
    return [
        f"Column {name!r} alone predicts the target almost perfectly ({score:.1%}): possible leakage. Would it be "
        "known at the time of the prediction?"
        for name, score in leaking_columns(schema, inputs, target, kind, seed).items()
    ]


def left_out(schema: Schema) -> list[str]:
    """Return one sentence for each column that is left out."""
    return [f"Column {column.name!r} is {column.note}." for column in schema.columns if column.note]


def split_of(
    table: LabelledTable, target: Tensor, kind: TargetKind, request: SplitRequest
) -> tuple[Split, tuple[str, ...]]:
    """Split the rows; also return the columns used up by it: a group column is a name, not a feature."""
    shares = {"validation": request.validation, "test": request.test}
    unbroken = _whole_groups(target, kind, request)
    classes = target.numpy() if kind == "class" or (kind == "groups" and unbroken is None) else None
    if not isinstance(request.how, str):
        explicit = given_split(request.how, rows=table.rows, height=table.height)
        return with_validation(
            explicit, share=request.validation, seed=request.seed, classes=classes, groups=unbroken
        ), ()
    how, _, column = request.how.partition(":")
    if how == "random" and not column and unbroken is not None:
        return group_split(unbroken.tolist(), **shares, seed=request.seed, column=table.target.columns[0]), ()
    if how == "random" and not column:
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
