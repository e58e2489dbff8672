"""Tables: rows with named columns. Numbers, categories, Booleans and date-times are read; MLPs are their nets."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import torch
from pydantic import Field
from torch import nn

from evenkeel.data.arrays import as_frame
from evenkeel.data.dataset import Dataset, build_dataset, set_target_apart
from evenkeel.data.fields import Fields, all_rows
from evenkeel.data.schema import Frozen, Schema, encode
from evenkeel.data.target import Target, encode_target, present_rows, take_target
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import Answered, Asked, Build, Kind, NetShape, Prepared
from evenkeel.kinds.body import features_of, net_arguments, net_for
from evenkeel.kinds.table.flat import RIVALS, FlatInputs, flatten
from evenkeel.kinds.table.large import answers_of_large, encode_large, prepare_large
from evenkeel.kinds.table.parts import large_table
from evenkeel.nets.base import Body, members_of
from evenkeel.nets.embed import ROWS_FOR_EDGES, quantile_edges
from evenkeel.plan import Plan
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice, infer_task


class TableOptions(Frozen):
    """How a table is read."""

    memory: float | None = Field(
        None, ge=0, description="GiB above which a Parquet file is read in parts; None: a quarter of what is free"
    )


def prepare_table(data: Any, asked: Asked) -> Prepared:
    """Read, set the target apart, infer the task, split and encode."""
    target = asked.target
    limit = asked.options.memory if isinstance(asked.options, TableOptions) else None
    large = large_table(data, limit)
    if large is not None:
        return prepare_large(large, asked)
    frame = as_frame(data, None if target is None else ((target,) if isinstance(target, str) else target))
    if target is None:
        if not isinstance(data, tuple):
            raise RequestError(f"which column is to be predicted? Give target=...; there are: {frame.columns[:20]}")
        target = [name for name in frame.columns if name == "target" or name.startswith("target_")]
        target = target[0] if len(target) == 1 else target
    table = set_target_apart(frame, target)
    choice = infer_task(table.target, asked.task)
    source = str(data) if isinstance(data, (str, Path)) else f"a {type(data).__name__} of {frame.height} rows"
    return Prepared(
        dataset=build_dataset(table, choice.kind, asked.request, weight=asked.weight, source=source), choice=choice
    )


def encode_table(schema: Schema, new: Any) -> Fields:
    """New rows as fields; an array has the columns of training, in their order."""
    large = large_table(new)
    if large is not None:
        return encode_large(schema, large)
    frame = new if isinstance(new, pl.DataFrame) else as_frame(new, None, _names(schema))
    return encode(schema, frame).mapping()


def answers_of_table(schema: Schema, target: Target, new: Any) -> Answered:
    """New rows that have a target."""
    large = large_table(new)
    if large is not None:
        return answers_of_large(schema, target, large)
    frame = as_frame(new, target.columns, _names(schema))
    answers, _ = take_target(frame, target.columns)
    rows = present_rows(answers)
    if not len(rows):
        raise DataError(f"no row has a value of the target {target.name!r}; nothing can be evaluated")
    return Answered(inputs=encode_table(schema, frame[rows]), target=encode_target(target, answers[rows]))


def _names(schema: Schema) -> tuple[str, ...]:
    """Names for the columns of an array."""
    return tuple(column.name for column in schema.columns)


def table_recipe(net: str, dataset: Dataset, choice: TaskChoice) -> Mapping[str, Any]:
    """A plan's own defaults are those of tables."""
    return {}


def table_shape(plan: Plan, dataset: Dataset, net: nn.Module | None) -> NetShape:
    """Pieces of the encoding of each number, and the columns that miss some in training."""
    rows, numbers = torch.from_numpy(dataset.split.train), all_rows(dataset.inputs["numbers"])
    edges = _edges(plan, dataset) if net is None else None
    return NetShape(
        pieces=None if edges is None else tuple(max(len(edge) - 1, 0) for edge in edges),
        flagged=tuple(i for i, column in enumerate(numbers.unbind(1)) if column[rows].isnan().any()),
    )


def _edges(plan: Plan, dataset: Dataset) -> list[Tensor] | None:
    """Ends of the pieces. A large table is never copied whole: some rows tell the quantiles."""
    if not plan.bins:
        return None
    rows = torch.from_numpy(dataset.split.train)
    some = rows[:: max(1, math.ceil(len(rows) / ROWS_FOR_EDGES))]
    return quantile_edges(dataset.inputs["numbers"].index_select(0, some), plan.bins)


def table_body(build: Build) -> Body:
    """Our net on numbers and categories, or the user's on one matrix (on both, where its forward names them)."""
    schema = build.schema
    if not isinstance(schema, Schema):
        raise TypeError("a table needs the schema of a table")
    if build.given is not None:
        names = inspect.signature(build.given.forward).parameters
        wants_both = {"numbers", "categories"} <= set(names)
        body = build.given if wants_both else FlatInputs(build.given, schema.levels)
        return Body(module=body, features=_features(body, schema), members=members_of(build.given))
    part = net_for(build.plan.net, "table")
    edges = _edges(build.plan, build.dataset) if build.dataset is not None else None
    if edges is None and build.shape.pieces is not None:  # to be filled from saved weights
        edges = [torch.zeros(count + 1) if count else torch.empty(0) for count in build.shape.pieces]
    net = part.call(
        len(schema.numbers),
        levels=schema.levels,
        edges=edges,
        flagged=build.shape.flagged,
        **net_arguments(build.plan, part),
    )
    return Body(module=net, features=_features(net, schema), members=members_of(net))


def _features(body: nn.Module, schema: Schema) -> int:
    """Units that the net gives, found by feeding it two empty rows."""
    codes = torch.zeros(2, len(schema.categories), dtype=torch.int32)
    two = {"numbers": torch.zeros(2, len(schema.numbers)), "categories": codes}
    columns = flatten(**two, levels=schema.levels).shape[1]
    return features_of(
        body,
        two,
        f"one float tensor (batch, {columns}), or `numbers` and `categories` if its forward names them",
    )


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
    rivals=RIVALS,
)
