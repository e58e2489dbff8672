"""Read tables in parts: the same dataset, with inputs on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evenkeel.data.dataset import (
    EncodedRows,
    HeldOut,
    LabelledTable,
    dataset_of,
    hold_out,
    leakage_notes,
    left_out,
    set_target_apart,
)
from evenkeel.data.fields import Fields
from evenkeel.data.schema import Schema, encode, fit_schema, require_columns
from evenkeel.data.target import Target, TargetKind, encode_target, present_rows, take_target
from evenkeel.data.weights import BALANCED
from evenkeel.errors import DataError, RequestError, choices
from evenkeel.kinds.base import Answered, DataRequest, Prepared
from evenkeel.kinds.table.parts import LargeTable, encode_in_parts, rows_to_learn_from
from evenkeel.task import infer_task


def prepare_large(large: LargeTable, request: DataRequest[Any]) -> Prepared[Schema]:
    """Read target, split and weight columns whole, and the others in parts, learned from some of the training rows.

    Raises:
        DataError, RequestError: as for any table.
    """
    if request.target is None:
        raise RequestError(f"which column is to be predicted? Give target=...; there are: {list(large.columns[:20])}")
    target, beside = request.columns, _columns_beside(request)
    absent = [name for name in (*target, *beside) if name not in large.columns]
    if absent:
        raise DataError(f"there is no column {absent[0]!r}; {choices(large.columns, absent[0])}")
    table = set_target_apart(large.read([*target, *beside]), request.target)
    choice = infer_task(table.target, request.task)
    rows = hold_out(table, choice.kind, request.split, weight=request.weight)
    hidden = {*target, *(name for name in beside if name not in rows.features.columns)}
    fitted = _fit(large, [name for name in large.columns if name not in hidden], table, rows, request, choice.kind)
    return Prepared(dataset=dataset_of(rows, fitted, str(large.path)), choice=choice)


def _columns_beside(request: DataRequest[Any]) -> list[str]:
    """Names of the columns that split or weight the rows."""
    how = request.split.how if isinstance(request.split.how, str) else ""
    weight = request.weight if isinstance(request.weight, str) and request.weight != BALANCED else ""
    names = dict.fromkeys((how.partition(":")[2], weight))
    return [name for name in names if name and name not in request.columns]


def _fit(
    large: LargeTable,
    columns: Sequence[str],
    table: LabelledTable,
    rows: HeldOut,
    request: DataRequest[Any],
    kind: TargetKind,
) -> EncodedRows[Schema]:
    """Learn of some of the training rows, and encode all, part by part."""
    seed = request.split.seed
    some = rows_to_learn_from(rows.split.train, seed)
    known = large.gather(columns, table.rows[some])
    schema = fit_schema(known, np.arange(len(some)))
    note = f"The table is read in parts; its columns are judged by {len(some)} of the training rows."
    leaks = leakage_notes(schema, encode(schema, known).mapping(), rows.target[some], kind, seed)
    inputs = encode_in_parts(schema, large, table.rows)
    return EncodedRows(schema=schema, inputs=inputs, notes=(note, *left_out(schema), *leaks))


def encode_large(schema: Schema, large: LargeTable) -> Fields:
    """Encode new rows as fields on disk."""
    require_columns(schema.used, large.columns)
    return encode_in_parts(schema, large)


def answers_of_large(schema: Schema, target: Target, large: LargeTable) -> Answered:
    """Encode new rows that have a target, on disk."""
    absent = [name for name in target.columns if name not in large.columns]
    if absent:
        raise DataError(f"there is no column {absent[0]!r} to predict; {choices(large.columns, absent[0])}")
    answers, _ = take_target(large.read(target.columns), target.columns)
    rows = present_rows(answers)
    if not len(rows):
        raise DataError(f"no row has a value of the target {target.name!r}; nothing can be evaluated")
    require_columns(schema.used, large.columns)
    return Answered(inputs=encode_in_parts(schema, large, rows), target=encode_target(target, answers[rows]))
