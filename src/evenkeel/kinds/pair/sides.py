"""One side of a pair: columns of a table, texts, or images, encoded as that kind of data is anywhere else.

A `Raw` side is what came: a frame of its columns, or pixels. What a side learns of its training rows is the schema of
its kind; its fields are those of that kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import torch

from evenkeel.data.fields import Fields
from evenkeel.data.schema import DataSchema, Schema, encode, fit_schema
from evenkeel.data.table import read_table
from evenkeel.errors import DataError
from evenkeel.kinds.image.arrays import as_pixels
from evenkeel.kinds.image.listing import path_column
from evenkeel.kinds.image.read import images_like, read_images
from evenkeel.kinds.image.schema import ImageOptions, ImageSchema, fit_images
from evenkeel.kinds.text.schema import Reading, TextSchema, encode_texts, fit_texts
from evenkeel.shapes import Tensor

SideName = Literal["table", "text", "image"]
Raw = pl.DataFrame | Tensor
"""A frame of the side's columns, or pixels (row, channel, height, width)."""

SIZES: dict[str, Any] = {"unit": "words", "vocabulary": 30_000, "letters": 4, "longest": 256}
READING = {
    "bag": Reading(order="bag", ngrams=2, **SIZES),
    "order": Reading(order="order", ngrams=1, **SIZES),
}


@dataclass(frozen=True, kw_only=True)
class SideRequest:
    """How image files are read, and whether texts are read as bags of words or in their order."""

    images: ImageOptions = field(default_factory=ImageOptions)
    order: Literal["bag", "order"] = "bag"


@dataclass(frozen=True, kw_only=True)
class Side:
    """How one side is encoded: `fit(raw, training rows, request)` gives a schema, `encode(schema, raw)` the fields."""

    name: SideName
    schema: type[DataSchema]
    fit: Callable[[Raw, np.ndarray, SideRequest], DataSchema]
    encode: Callable[[Any, Raw], Fields]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A side whose files have been read: `rows` are those that could be, and sentences about the others."""

    raw: Raw
    rows: np.ndarray
    notes: tuple[str, ...] = field(default=())


def as_side(values: Any, name: str) -> Raw:
    """Whatever stands for one side as a frame of columns, or as pixels where it is images.

    Raises:
        DataError: neither.

    Example:
        >>> as_side([[1.0, 2.0], [3.0, 4.0]], "left").columns
        ['x0', 'x1']
        >>> as_side(["a dog", "a cat"], "right").columns
        ['right']
    """
    if isinstance(values, pl.Series):
        return values.alias(name).to_frame()
    if isinstance(values, pl.DataFrame):
        return values
    if isinstance(values, (list, tuple, np.ndarray, Tensor)):
        return _of_rows(values, name)
    return read_table(values)


def _of_rows(values: Any, name: str) -> Raw:
    """A list or an array of one value, several numbers, or an image in each row."""
    if not len(values):
        raise DataError(f"the {name} side has no rows; expected texts, paths of images, numbers or images")
    axes = values.ndim if isinstance(values, (np.ndarray, Tensor)) else 1 + np.ndim(values[0])
    if axes >= 3:
        return as_pixels(values if isinstance(values, (np.ndarray, Tensor)) else np.asarray(values))
    if axes == 2:
        return read_table(list(values) if isinstance(values, tuple) else values)
    plain = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
    plain = [str(each) if isinstance(each, Path) else each for each in plain]
    return pl.DataFrame({name: pl.Series(name, plain, strict=False)})


def side_of(raw: Raw, folder: Path) -> SideName:
    """Images where there are pixels or paths of image files, texts where there is one column of words, else a table."""
    if isinstance(raw, Tensor):
        return "image"
    if raw.width != 1 or raw.dtypes[0] not in (pl.String, pl.Categorical, pl.Enum):
        return "table"
    return "image" if path_column(raw, folder) is not None else "text"


def load(raw: Raw, folder: Path, request: SideRequest) -> Loaded:
    """A side with its image files decoded; those that cannot be read drop out and are named.

    Raises:
        DataError: none can be read.
    """
    rows = np.arange(len(raw))
    if isinstance(raw, Tensor) or side_of(raw, folder) != "image":
        return Loaded(raw=raw, rows=rows)
    found = read_images(_paths(raw, folder), request.images)
    return Loaded(raw=found.pixels, rows=found.rows, notes=found.notes)


def _paths(raw: pl.DataFrame, folder: Path) -> list[Path]:
    return [folder / name for name in raw.to_series().cast(pl.String).fill_null("").to_list()]


def take(raw: Raw, rows: np.ndarray) -> Raw:
    """The rows of a side."""
    return raw[torch.from_numpy(rows)] if isinstance(raw, Tensor) else raw[rows]


def missing_rows(raw: Raw) -> np.ndarray:
    """Which rows hold nothing at all, (row,) Boolean."""
    if isinstance(raw, Tensor):
        return np.zeros(len(raw), dtype=bool)
    return raw.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()


def numbered(raw: Raw) -> np.ndarray:
    """A number for each row, the same where rows hold the same, (row,).

    Example:
        >>> numbered(pl.DataFrame({"word": ["a", "b", "a"]})).tolist()
        [0, 1, 0]
    """
    keys = [row.tobytes() for row in raw.numpy()] if isinstance(raw, Tensor) else raw.rows()
    seen: dict[Any, int] = {}
    return np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)


def _frame(raw: Raw) -> pl.DataFrame:
    if isinstance(raw, Tensor):
        raise DataError(
            f"expected columns of numbers or words as in training, got an array of shape {tuple(raw.shape)}"
        )
    return raw


def _fit_table(raw: Raw, train: np.ndarray, request: SideRequest) -> Schema:
    return fit_schema(_frame(raw), train)


def _encode_table(schema: Schema, raw: Raw) -> Fields:
    return encode(schema, _frame(raw)).mapping()


def _fit_images(raw: Raw, train: np.ndarray, request: SideRequest) -> ImageSchema:
    assert isinstance(raw, Tensor)  # `load` has decoded what came as files
    return fit_images(raw, train, request.images)


def _encode_images(schema: ImageSchema, raw: Raw) -> Fields:
    return {"pixels": images_like(schema, raw).pixels}


def _fit_texts(raw: Raw, train: np.ndarray, request: SideRequest) -> TextSchema:
    frame = _frame(raw)
    known = frame[train]  # only these: what is encoded here is thrown away
    return fit_texts(known, tuple(known.columns), np.arange(len(known)), READING[request.order]).schema


def _encode_texts(schema: TextSchema, raw: Raw) -> Fields:
    return encode_texts(schema, _frame(raw))


SIDES: dict[str, Side] = {
    "table": Side(name="table", schema=Schema, fit=_fit_table, encode=_encode_table),
    "text": Side(name="text", schema=TextSchema, fit=_fit_texts, encode=_encode_texts),
    "image": Side(name="image", schema=ImageSchema, fit=_fit_images, encode=_encode_images),
}
"""By the name of the kind that encodes it."""
