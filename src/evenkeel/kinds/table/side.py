"""A table as one side of a pair: columns of numbers and words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evenkeel.data.fields import Fields
from evenkeel.data.schema import Schema, encode, fit_schema
from evenkeel.kinds.side import Raw, Side, SideRequest, require_columns, under_names
from evenkeel.shapes import Tensor


def _fit(raw: Raw, train: np.ndarray, request: SideRequest) -> Schema:
    return fit_schema(require_columns(raw), train)


def _encode(schema: Schema, raw: Raw, folder: Path) -> Fields:
    names = [column.name for column in schema.columns]
    return encode(schema, under_names(require_columns(raw), names)).mapping()


TABLE_SIDE = Side(recognises=lambda raw, folder: not isinstance(raw, Tensor), fit=_fit, encode=_encode)
