"""A table as one matrix: for nets of the user's own, and for plain models."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import all_rows
from evenkeel.data.schema import Schema
from evenkeel.heads import HeadPart
from evenkeel.kinds.base import Rival
from evenkeel.kinds.baselines import ROWS_AT_ONCE, boosted_trees, linear_model, rival
from evenkeel.shapes import Float, Int, Tensor

MOST_CODES = 255  # scikit-learn's trees take no more levels in a category column


class FlatInputs(nn.Module):
    """Numbers and categories as one matrix for a net that takes one tensor: missing as 0 with a flag, levels one-hot.

    Shapes: numbers (batch, column), categories (batch, other) -> the net's input (batch, 2·column + codes).
    """

    def __init__(self, net: nn.Module, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.net, self.levels = net, levels

    @override
    def forward(
        self, numbers: Float[Tensor, "batch column"], categories: Int[Tensor, "batch other"]
    ) -> Float[Tensor, "*lead batch unit"]:
        return self.net(flatten(numbers, categories, self.levels))


def flatten(
    numbers: Float[Tensor, "batch column"], categories: Int[Tensor, "batch other"], levels: tuple[int, ...]
) -> Float[Tensor, "batch unit"]:
    """One matrix: numbers (0 where missing), flags of missing numbers, one-hot levels."""
    missing = numbers.isnan()
    codes = [
        functional.one_hot(column.long(), count).to(numbers.dtype)
        for column, count in zip(categories.unbind(1), levels, strict=True)
    ]
    return torch.cat([numbers.masked_fill(missing, 0.0), missing.to(numbers.dtype), *codes], dim=1)


def linear_matrix(data: Dataset, rows: Tensor) -> np.ndarray:
    """Scaled numbers, flags where a column misses some, one-hot levels; filled part by part, without a second copy."""
    numbers, codes, levels = _inputs(data)
    flagged = torch.tensor([bool(column.isnan().any()) for column in numbers.unbind(1)], dtype=torch.bool)
    kept = torch.cat([torch.ones_like(flagged), flagged, torch.ones(sum(levels), dtype=torch.bool)])
    matrix = np.empty((len(rows), int(kept.sum())), dtype=np.float32)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        matrix[start : start + len(part)] = flatten(numbers[part], codes[part], levels)[:, kept].numpy()
    return matrix


def tree_matrix(data: Dataset, rows: Tensor) -> np.ndarray:
    """Numbers with NaN where missing, then codes; in float64, which scikit-learn's trees would copy it to."""
    numbers, codes, _ = _inputs(data)
    matrix = np.empty((len(rows), numbers.shape[1] + codes.shape[1]))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        matrix[start : start + len(part), : numbers.shape[1]] = numbers[part].numpy()
        matrix[start : start + len(part), numbers.shape[1] :] = codes[part].numpy()
    return matrix


def _inputs(data: Dataset) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    if not isinstance(data.schema, Schema):
        raise TypeError("a table needs the schema of a table")
    return all_rows(data.inputs["numbers"]), all_rows(data.inputs["categories"]), data.schema.levels


def _trees(part: HeadPart, data: Dataset, seed: int) -> Any:
    numbers, _, levels = _inputs(data)
    mask = np.array([False] * numbers.shape[1] + [count <= MOST_CODES for count in levels])
    return boosted_trees(part, data, seed, categories=mask)


RIVALS: dict[str, Rival] = {
    "linear": rival(linear_model, linear_matrix),
    "gradient boosting": rival(_trees, tree_matrix),
}
