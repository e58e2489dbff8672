"""Conversion of any data with answers to one frame: of arrays (X, y) the answers become columns of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from evenkeel.data.table import read_table
from evenkeel.errors import DataError
from evenkeel.shapes import Tensor


def as_frame(data: Any, target: Sequence[str] | None, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Convert any supported data to one frame; of `(X, y)` the target becomes columns of its own.

    Raises:
        DataError: X and y have different lengths, or an array has other columns than `columns`.
    """
    if not isinstance(data, tuple):
        return _table(data, columns)
    if len(data) != 2:
        raise DataError(f"expected a pair (X, y), got a tuple of {len(data)}")
    inputs, answers = data
    frame = _table(inputs, columns)
    if isinstance(answers, Tensor):
        answers = answers.detach().cpu().numpy()
    elif hasattr(answers, "to_numpy"):
        answers = answers.to_numpy()
    values = np.asarray(answers) if not _ragged(answers) else None
    if len(answers) != frame.height:
        raise DataError(f"X has {frame.height} rows and y has {len(answers)}; they must be equal")
    if values is None:
        return frame.with_columns(pl.Series((target or ("target",))[0], [list(row) for row in answers]))
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 1:
        column = values.tolist() if values.dtype == object else np.ascontiguousarray(values)
        return frame.with_columns(pl.Series((target or ("target",))[0], column, strict=False))
    names = (
        list(target) if target and len(target) == values.shape[1] else [f"target_{i}" for i in range(values.shape[1])]
    )
    return frame.with_columns(pl.Series(n, np.ascontiguousarray(values[:, i])) for i, n in enumerate(names))


def _table(data: Any, columns: Sequence[str] | None) -> pl.DataFrame:
    """Read a frame; an array must have as many columns as there are names for them."""
    shape = np.shape(data) if isinstance(data, (np.ndarray, Tensor, list)) else ()
    if columns is not None and len(shape) == 2 and shape[1] != len(columns):
        raise DataError(
            f"expected an array with the {len(columns)} columns of training, {', '.join(columns[:8])}"
            f"{', ...' if len(columns) > 8 else ''}; got {shape[1]} columns"
        )
    return read_table(data, columns)


def _ragged(answers: Any) -> bool:
    """Whether each answer is a list of labels."""
    return (
        isinstance(answers, list)
        and len(answers) > 0
        and isinstance(answers[0], (list, set))
        and any(not isinstance(item, (int, float)) for row in answers for item in row)
    )
