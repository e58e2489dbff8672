"""Fit plain models beside the network on a table: a linear one on one matrix, and trees on numbers and codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import all_rows
from evenkeel.data.schema import Schema
from evenkeel.heads import HeadPart
from evenkeel.kinds.base import Baseline
from evenkeel.kinds.baselines import ROWS_AT_ONCE, baseline, boosted_trees, linear_model
from evenkeel.kinds.table.flat import flatten
from evenkeel.shapes import Tensor

MOST_CODES = 255  # scikit-learn's trees take no more levels in a category column


def linear_matrix(data: Dataset[Schema], rows: Tensor) -> np.ndarray:
    """Build scaled numbers, flags where a column misses some, and one-hot levels, filled part by part."""
    numbers, codes, levels = _inputs(data)
    flagged = torch.tensor([bool(column.isnan().any()) for column in numbers.unbind(1)], dtype=torch.bool)
    kept = torch.cat([torch.ones_like(flagged), flagged, torch.ones(sum(levels), dtype=torch.bool)])
    matrix = np.empty((len(rows), int(kept.sum())), dtype=np.float32)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        matrix[start : start + len(part)] = flatten(numbers[part], codes[part], levels)[:, kept].numpy()
    return matrix


def tree_matrix(data: Dataset[Schema], rows: Tensor) -> np.ndarray:
    """Build numbers with NaN where missing, then codes; in float64, to which scikit-learn's trees would copy."""
    numbers, codes, _ = _inputs(data)
    matrix = np.empty((len(rows), numbers.shape[1] + codes.shape[1]))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        matrix[start : start + len(part), : numbers.shape[1]] = numbers[part].numpy()
        matrix[start : start + len(part), numbers.shape[1] :] = codes[part].numpy()
    return matrix


def _inputs(data: Dataset[Schema]) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    return all_rows(data.inputs["numbers"]), all_rows(data.inputs["categories"]), data.schema.levels


def _trees(part: HeadPart, data: Dataset[Schema], seed: int) -> Any:
    numbers, _, levels = _inputs(data)
    mask = np.array([False] * numbers.shape[1] + [count <= MOST_CODES for count in levels])
    return boosted_trees(part, data, seed, categories=mask)


BASELINES: dict[str, Baseline[Schema]] = {
    "linear": baseline(linear_model, linear_matrix),
    "gradient boosting": baseline(_trees, tree_matrix),
}
