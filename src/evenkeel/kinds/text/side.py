"""Texts as one side of a pair: one column of words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from evenkeel.data.fields import Fields
from evenkeel.kinds.side import Raw, Side, SideRequest, require_columns, under_names
from evenkeel.kinds.text.schema import TextReading, TextSchema, encode_texts, learn_texts
from evenkeel.shapes import Tensor

SIZES: dict[str, Any] = {"unit": "words", "vocabulary": 30_000, "letters": 4, "longest": 256}
READINGS = {
    "bag": TextReading(order="bag", ngrams=2, **SIZES),
    "order": TextReading(order="order", ngrams=1, **SIZES),
}


def _recognises(raw: Raw, folder: Path) -> bool:
    return not isinstance(raw, Tensor) and raw.width == 1 and raw.dtypes[0] in (pl.String, pl.Categorical, pl.Enum)


def _fit(raw: Raw, train: np.ndarray, request: SideRequest) -> TextSchema:
    known = require_columns(raw)[train]
    return learn_texts(known, tuple(known.columns), np.arange(len(known)), READINGS[request.order])


def _encode(schema: TextSchema, raw: Raw, folder: Path) -> Fields:
    names = [column.name for column in schema.columns]
    return encode_texts(schema, under_names(require_columns(raw), names))


TEXT_SIDE = Side(
    recognises=_recognises,
    fit=_fit,
    encode=_encode,
    plan={"mlp": {"width": 128, "depth": 2, "dropout": 0.2}},
)
