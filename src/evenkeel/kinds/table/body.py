"""Nets over tables: one of ours on numbers and categories, or the user's on one matrix or on both."""

from __future__ import annotations

import inspect
import math

import torch
from torch import nn

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import all_rows
from evenkeel.data.schema import Schema
from evenkeel.kinds.base import Build, NetShape
from evenkeel.kinds.body import features_of, net_arguments, net_for
from evenkeel.kinds.table.flat import FlatInputs, flatten
from evenkeel.nets.base import Body, members_of
from evenkeel.nets.embed import ROWS_FOR_EDGES, quantile_edges
from evenkeel.plan import Plan
from evenkeel.shapes import Tensor


def table_shape(plan: Plan, dataset: Dataset[Schema], net: nn.Module | None) -> NetShape:
    """Pieces of the encoding of each number, and the columns that miss some in training."""
    rows, numbers = torch.from_numpy(dataset.split.train), all_rows(dataset.inputs["numbers"])
    edges = _edges(plan, dataset) if net is None else None
    return NetShape(
        pieces=None if edges is None else tuple(max(len(edge) - 1, 0) for edge in edges),
        flagged=tuple(i for i, column in enumerate(numbers.unbind(1)) if column[rows].isnan().any()),
    )


def _edges(plan: Plan, dataset: Dataset[Schema]) -> list[Tensor] | None:
    """Ends of the pieces; a large table is never copied whole, so the quantiles are those of some rows."""
    if not plan.bins:
        return None
    rows = torch.from_numpy(dataset.split.train)
    some = rows[:: max(1, math.ceil(len(rows) / ROWS_FOR_EDGES))]
    return quantile_edges(dataset.inputs["numbers"].index_select(0, some), plan.bins)


def table_body(build: Build[Schema]) -> Body:
    """Build our net on numbers and categories, or the user's on one matrix (on both, if its forward names them)."""
    schema = build.schema
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
    """Number of features of a net, measured on two empty rows."""
    codes = torch.zeros(2, len(schema.categories), dtype=torch.int32)
    two = {"numbers": torch.zeros(2, len(schema.numbers)), "categories": codes}
    columns = flatten(**two, levels=schema.levels).shape[1]
    return features_of(
        body,
        two,
        f"one float tensor (batch, {columns}), or `numbers` and `categories` if its forward names them",
    )
