"""One side of a pair: how a kind of data is read where two things belong together in each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import polars as pl

from evenkeel.data.dataset import Augment
from evenkeel.data.fields import Fields
from evenkeel.data.schema import DataSchema
from evenkeel.errors import DataError
from evenkeel.shapes import Tensor

S = TypeVar("S", bound=DataSchema)
Raw = pl.DataFrame | Tensor
"""A frame of the side's columns, or pixels (row, channel, height, width)."""


@dataclass(frozen=True, kw_only=True)
class SideRequest:
    """How sides are to be read: `options` of pairs by name, of which a kind takes those that it has too.

    `order` says whether texts are read as bags of words or in their order.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    order: Literal["bag", "order"] = "bag"
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A side whose files have been read: `rows` are those that could be, and sentences about the others."""

    raw: Raw
    rows: np.ndarray
    notes: tuple[str, ...] = field(default=())


def load_nothing(raw: Raw, folder: Path, request: SideRequest) -> Loaded:
    """The side as it is: nothing in it leads to a file."""
    return Loaded(raw=raw, rows=np.arange(len(raw)))


@dataclass(frozen=True, kw_only=True)
class Side(Generic[S]):
    """How a kind of data is one side of a pair. What it learns and encodes is what the kind does anywhere else.

    Args:
        recognises: (raw, folder where paths start) -> whether it is of this kind; asked in the order of the kinds.
        fit: (raw, training rows, request) -> the schema.
        encode: (schema, raw, folder) -> fields.
        of_array: makes a side of an array whose rows have two axes or more; None where these are of other kinds.
        load: reads the files that the side names; those that cannot be read drop out.
        augment: what varies the side while training.
        plan: (name of the net) -> settings of the net where they differ from the kind's recipe: a partner among many
            strangers teaches more than an answer does.
    """

    recognises: Callable[[Raw, Path], bool]
    fit: Callable[[Raw, np.ndarray, SideRequest], S]
    encode: Callable[[S, Raw, Path], Fields]
    of_array: Callable[[Any], Raw] | None = None
    load: Callable[[Raw, Path, SideRequest], Loaded] = load_nothing
    augment: Callable[[SideRequest], Augment | None] = lambda request: None
    plan: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def require_columns(raw: Raw) -> pl.DataFrame:
    """A side that must be columns.

    Raises:
        DataError: it is pixels.
    """
    if isinstance(raw, Tensor):
        raise DataError(
            f"expected columns of numbers or words as in training, got an array of shape {tuple(raw.shape)}"
        )
    return raw


def under_names(raw: pl.DataFrame, known: list[str]) -> pl.DataFrame:
    """Columns under the names of training, which are the left ones where one schema serves both sides."""
    if set(raw.columns) != set(known) and raw.width == len(known):
        return raw.rename(dict(zip(raw.columns, known, strict=True)))
    return raw
