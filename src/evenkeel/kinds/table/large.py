"""Tables that are read in parts: the same dataset, with inputs on disk."""

from __future__ import annotations

import numpy as np
import polars as pl

from evenkeel.data.dataset import Fitted, labelled_dataset, leakage_notes, left_out, set_target_apart
from evenkeel.data.fields import Fields
from evenkeel.data.schema import Schema, encode, fit_schema, require_columns
from evenkeel.data.target import Target, encode_target, present_rows, take_target
from evenkeel.data.weights import BALANCED
from evenkeel.errors import DataError, RequestError, choices
from evenkeel.kinds.base import Answered, Asked, Prepared
from evenkeel.kinds.table.parts import LargeTable, encode_in_parts, rows_to_learn_from
from evenkeel.shapes import Tensor
from evenkeel.task import infer_task


def prepare_large(large: LargeTable, asked: Asked) -> Prepared:
    """Target, split and weight columns whole; the others in parts, learned from some of the training rows.

    Raises:
        DataError, RequestError: as for any table.
    """
    if asked.target is None:
        raise RequestError(f"which column is to be predicted? Give target=...; there are: {list(large.columns[:20])}")
    target = (asked.target,) if isinstance(asked.target, str) else tuple(asked.target)
    how = asked.request.how if isinstance(asked.request.how, str) else ""
    weight = asked.weight if isinstance(asked.weight, str) and asked.weight != BALANCED else ""
    beside = [name for name in dict.fromkeys((how.partition(":")[2], weight)) if name and name not in target]
    absent = [name for name in (*target, *beside) if name not in large.columns]
    if absent:
        raise DataError(f"there is no column {absent[0]!r}; {choices(large.columns, absent[0])}")
    table = set_target_apart(large.read([*target, *beside]), asked.target)
    choice = infer_task(table.target, asked.task)

    def fit(features: pl.DataFrame, answers: Tensor, train: np.ndarray) -> Fitted:
        """`features` are what is left of the columns beside the target."""
        hidden = {*target, *(name for name in beside if name not in features.columns)}
        columns = [name for name in large.columns if name not in hidden]
        some = rows_to_learn_from(train, asked.request.seed)
        known = large.gather(columns, table.rows[some])
        schema = fit_schema(known, np.arange(len(some)))
        told = f"The table is read in parts; its columns are judged by {len(some)} of the training rows."
        leaks = leakage_notes(schema, encode(schema, known).mapping(), answers[some], choice.kind, asked.request.seed)
        inputs = encode_in_parts(schema, large, table.rows)
        return Fitted(schema=schema, inputs=inputs, notes=(told, *left_out(schema), *leaks))

    dataset = labelled_dataset(table, choice.kind, asked.request, fit, weight=asked.weight, source=str(large.path))
    return Prepared(dataset=dataset, choice=choice)


def encode_large(schema: Schema, large: LargeTable) -> Fields:
    """New rows as fields on disk."""
    require_columns(schema.used, large.columns)
    return encode_in_parts(schema, large)


def answers_of_large(schema: Schema, target: Target, large: LargeTable) -> Answered:
    """New rows that have a target, on disk."""
    absent = [name for name in target.columns if name not in large.columns]
    if absent:
        raise DataError(f"there is no column {absent[0]!r} to predict; {choices(large.columns, absent[0])}")
    answers, _ = take_target(large.read(target.columns), target.columns)
    rows = present_rows(answers)
    if not len(rows):
        raise DataError(f"no row has a value of the target {target.name!r}; nothing can be evaluated")
    require_columns(schema.used, large.columns)
    return Answered(inputs=encode_in_parts(schema, large, rows), target=encode_target(target, answers[rows]))
