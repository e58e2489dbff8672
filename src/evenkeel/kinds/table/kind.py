"""Tables: rows with named columns. Numbers, categories, Booleans and date-times are read; MLPs are their nets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from evenkeel.data.arrays import as_frame
from evenkeel.data.dataset import Dataset, build_dataset, set_target_apart
from evenkeel.data.schema import Frozen, Schema, encode
from evenkeel.data.target import Target, encode_target, present_rows, take_target
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import Answered, DataRequest, Encoded, Kind, Prepared
from evenkeel.kinds.table.baselines import BASELINES
from evenkeel.kinds.table.body import table_body, table_shape
from evenkeel.kinds.table.large import answers_of_large, encode_large, prepare_large
from evenkeel.kinds.table.parts import large_table
from evenkeel.kinds.table.side import TABLE_SIDE
from evenkeel.task import TaskChoice, infer_task


class TableOptions(Frozen):
    """How a table is read."""

    memory: float | None = Field(
        None, ge=0, description="GiB above which a Parquet file is read in parts; None: a quarter of what is free"
    )


def prepare_table(data: Any, request: DataRequest[TableOptions]) -> Prepared[Schema]:
    """Read, set the target apart, infer the task, split and encode."""
    large = large_table(data, request.options.memory)
    if large is not None:
        return prepare_large(large, request)
    frame = as_frame(data, request.columns or None)
    table = set_target_apart(frame, _target_of(data, frame) if request.target is None else request.target)
    choice = infer_task(table.target, request.task)
    source = str(data) if isinstance(data, (str, Path)) else f"a {type(data).__name__} of {frame.height} rows"
    dataset = build_dataset(table, choice.kind, request.split, weight=request.weight, source=source)
    return Prepared(dataset=dataset, choice=choice)


def _target_of(data: Any, frame: pl.DataFrame) -> str | list[str]:
    """Names of the columns that hold the answers of `(X, y)`.

    Raises:
        RequestError: the data are one table, and no column of it is named.
    """
    if not isinstance(data, tuple):
        raise RequestError(f"which column is to be predicted? Give target=...; there are: {frame.columns[:20]}")
    names = [name for name in frame.columns if name == "target" or name.startswith("target_")]
    return names[0] if len(names) == 1 else names


def encode_table(schema: Schema, new: Any) -> Encoded:
    """Encode new rows; an array has the columns of training, in their order."""
    large = large_table(new)
    if large is not None:
        return Encoded(inputs=encode_large(schema, large))
    frame = new if isinstance(new, pl.DataFrame) else as_frame(new, None, _names(schema))
    return Encoded(inputs=encode(schema, frame).mapping())


def answers_of_table(schema: Schema, target: Target, new: Any) -> Answered:
    """Encode new rows that have a target."""
    large = large_table(new)
    if large is not None:
        return answers_of_large(schema, target, large)
    frame = as_frame(new, target.columns, _names(schema))
    answers, _ = take_target(frame, target.columns)
    rows = present_rows(answers)
    if not len(rows):
        raise DataError(f"no row has a value of the target {target.name!r}; nothing can be evaluated")
    return Answered(inputs=encode(schema, frame[rows]).mapping(), target=encode_target(target, answers[rows]))


def _names(schema: Schema) -> tuple[str, ...]:
    """Names for the columns of an array."""
    return tuple(column.name for column in schema.columns)


def table_recipe(net: str, dataset: Dataset[Schema], choice: TaskChoice) -> Mapping[str, Any]:
    """Change nothing: the plan's own defaults are those of tables."""
    return {}


TABLE = Kind(
    name="table",
    summary="rows with named columns: CSV, TSV, Parquet, data frames, arrays (row, column)",
    source="scikit-learn's and polars' readers",
    schema=Schema,
    recognises=lambda data: True,
    rank=100,
    prepare=prepare_table,
    encode=encode_table,
    answers=answers_of_table,
    net="mlp",
    recipe=table_recipe,
    body=table_body,
    shape=table_shape,
    options=TableOptions,
    baselines=BASELINES,
    side=TABLE_SIDE,
)
