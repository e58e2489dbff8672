"""Weights of the rows in training: a column, one number for each row, or a weight for each class; the mean is 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from evenkeel.data.columns import tidy
from evenkeel.data.target import Target
from evenkeel.errors import DataError, RequestError, choices
from evenkeel.shapes import Tensor

# `int` is named besides `float` because the shape checks of the tests take the types literally.
Weighting = str | Sequence[float | int] | np.ndarray | Tensor | Mapping[Any, float | int] | None
BALANCED = "balanced"  # every class gets the same total


def example_weights(
    features: pl.DataFrame, weight: Weighting, target: Tensor, schema: Target, *, rows: NDArray[np.int64], height: int
) -> Tensor | None:
    """Compute weights (row,) with mean 1, or None without a `weight`.

    Args:
        features: the columns, one of which `weight` may name.
        weight: a column, one number a row (of the table as it came or of the rows with a target), `balanced`, or a
            mapping of class to weight.
        target: the encoded target (row,).
        schema: its levels.
        rows: numbers of the rows with a target in the table as it came.
        height: how many rows that table had.

    Raises:
        DataError: no such column, or values that are not finite numbers of 0 or more.
        RequestError: class weights for a target that is not a class, or of a class that does not exist.
    """
    if weight is None:
        return None
    if isinstance(weight, Mapping) or (isinstance(weight, str) and weight == BALANCED):
        values = _of_classes(weight, target, schema)
    elif isinstance(weight, str):
        if weight not in features.columns:
            raise DataError(f"no column {weight!r} to weight by; {choices(features.columns, weight)}")
        values = _numbers(tidy(features[weight]).to_list())
    else:
        values = _numbers(weight.detach().cpu() if isinstance(weight, Tensor) else weight)
        values = values[rows] if values.shape == (height,) else values
    _require_weights(values, len(target), height)
    return torch.from_numpy(values / values.mean()).float()


def _numbers(values: Any) -> NDArray[np.float64]:
    """Convert values to float64.

    Raises:
        DataError: they are not numbers.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise DataError(f"weights must be numbers: {str(problem).splitlines()[0]}") from problem


def _require_weights(values: NDArray[np.float64], rows: int, height: int) -> None:
    """Refuse all but one finite number of 0 or more for each row, not all of them 0."""
    if values.shape != (rows,):
        either = f"{rows}" if rows == height else f"{rows} (or {height}, one for each row of the table)"
        raise DataError(f"expected {either} weights, one for each row, got shape {values.shape}")
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(f"a weight must be a finite number of 0 or more, got {values[row]} in row {row}")
    if values.sum() == 0:
        raise DataError("all weights are 0; at least one row must count")


def _of_classes(weight: Mapping[Any, float | int] | str, target: Tensor, schema: Target) -> NDArray[np.float64]:
    """Look up the weight of each row's class; a class that a mapping leaves out has weight 1."""
    if schema.kind != "class":
        raise RequestError("class weights need a single-label target; pass one weight for each row instead")
    codes = target.numpy()
    if isinstance(weight, str):
        counts = np.bincount(codes, minlength=len(schema.levels)).clip(min=1)
        return (len(codes) / (len(schema.levels) * counts))[codes]
    unknown = [name for name in weight if name not in schema.levels]
    if unknown:
        raise RequestError(f"class weights name {unknown[:5]!r}; the classes are {schema.levels[:10]!r}")
    return _numbers([weight.get(level, 1.0) for level in schema.levels])[codes]
