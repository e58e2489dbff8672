"""Schema of pairs: the schema of each side's own kind, and the settings of the net that reads it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import polars as pl
import torch
from pydantic import PlainValidator, SerializeAsAny

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import Field
from evenkeel.data.schema import DataSchema, Frozen
from evenkeel.errors import RequestError
from evenkeel.kinds.choose import read_schema
from evenkeel.kinds.pair.read import LEFT, RIGHT, RawPairs
from evenkeel.kinds.pair.sides import reader_of, side_of
from evenkeel.kinds.side import Raw, SideRequest, require_columns
from evenkeel.plan import Setting
from evenkeel.shapes import Tensor


class SideSchema(Frozen):
    """One side: its columns in a table, the schema of its kind, and the settings of its net."""

    columns: tuple[str, ...]
    schema_: Annotated[SerializeAsAny[DataSchema], PlainValidator(read_schema)]
    net: Mapping[str, Setting] = {}

    @property
    def name(self) -> str:
        """Name of the side's kind of data."""
        return self.schema_.kind


class PairSchema(DataSchema):
    """Schema of pairs: both sides, and the number of nets that read them."""

    kind: str = "pair"
    left: SideSchema
    right: SideSchema
    towers: int = 2
    temperature: float = 0.1

    def side(self, name: str) -> SideSchema:
        """Look up one side by name."""
        return self.left if name == LEFT else self.right


def fit_pairs(
    pairs: RawPairs, train: np.ndarray, request: SideRequest, *, towers: int, temperature: float
) -> PairSchema:
    """Learn a schema of each side on the training rows by its kind; for one net, one schema of both sides together.

    Raises:
        DataError: nothing in a side can be used.
        RequestError: one net for sides of different kinds or sizes.
    """
    kinds = {name: side_of(raw, pairs.folder) for name, raw in pairs.sides.items()}
    if towers == 1:
        both, rows = _joined(pairs, train)
        shared = reader_of(kinds[LEFT]).fit(both, rows, request)
        learned = {LEFT: shared, RIGHT: shared}
    else:
        learned = {name: reader_of(kinds[name]).fit(raw, train, request) for name, raw in pairs.sides.items()}
    sides = {name: SideSchema(columns=pairs.columns[name], schema_=schema) for name, schema in learned.items()}
    columns = [
        column.model_copy(update={"name": column.name if column.name == name else f"{name}: {column.name}"})
        for name, side in sides.items()
        for column in side.schema_.columns
    ]
    return PairSchema(
        columns=tuple(columns), towers=towers, temperature=temperature, left=sides[LEFT], right=sides[RIGHT]
    )


def _joined(pairs: RawPairs, train: np.ndarray) -> tuple[Raw, np.ndarray]:
    """Stack both sides, one under the other; also return which of these rows train."""
    left, right = pairs.sides[LEFT], pairs.sides[RIGHT]
    if not one_net_fits(pairs):
        kinds = " and ".join(side_of(raw, pairs.folder) for raw in (left, right))
        raise RequestError(
            f"one net for both sides needs sides of one kind and size, got {kinds}; try settings={{'towers': 'two'}}"
        )
    rows = np.concatenate([train, train + len(left)])
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return torch.cat([left, right]), rows
    above, below = require_columns(left), require_columns(right)
    return pl.concat([above, below.rename(dict(zip(below.columns, above.columns, strict=True)))]), rows


def one_net_fits(pairs: RawPairs) -> bool:
    """Whether both sides are of one kind and size."""
    left, right = pairs.sides[LEFT], pairs.sides[RIGHT]
    if side_of(left, pairs.folder) != side_of(right, pairs.folder):
        return False
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return left.shape[1:] == right.shape[1:] and left.dtype == right.dtype
    return require_columns(left).dtypes == require_columns(right).dtypes


def encode_pairs(schema: PairSchema, pairs: RawPairs) -> dict[str, Field]:
    """Encode the sides of some pairs as fields under the side's name: `left_numbers`, `right_pixels`, ..."""
    fields: dict[str, Field] = {}
    for name, raw in pairs.sides.items():
        side = schema.side(name)
        encoded = reader_of(side.name).encode(side.schema_, raw, pairs.folder)
        fields |= {f"{name}_{field}": value for field, value in encoded.items()}
    return fields


def side_data(dataset: Dataset[PairSchema], name: str) -> Dataset[Any]:
    """Extract one side as a dataset of its kind."""
    prefix = f"{name}_"
    fields = {key.removeprefix(prefix): value for key, value in dataset.inputs.items() if key.startswith(prefix)}
    return dataclasses.replace(dataset, inputs=fields, schema=dataset.schema.side(name).schema_)
