"""Plain models of scikit-learn beside the network: what is left to each kind of data is to give them a matrix.

Default settings; a linear model for every task, and gradient-boosted trees where the columns are few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from evenkeel.data.dataset import Dataset
from evenkeel.heads import HeadPart
from evenkeel.heads.plain_models import PlainModels
from evenkeel.kinds.base import Rival
from evenkeel.shapes import Tensor

ROWS_AT_ONCE = 20_000

Matrix = Callable[[Dataset, Tensor], Any]
"""(dataset, rows) -> (row, feature), as an array or a sparse matrix."""


def rival(model: Callable[[HeadPart, Dataset, int], Any], matrix: Matrix) -> Rival:
    """A model of scikit-learn on a matrix, as a kind's record holds it."""

    def predictions(part: HeadPart, data: Dataset, known: Tensor, asked: Tensor, seed: int) -> np.ndarray | None:
        made = None if part.plain is None else model(part, data, seed)
        if part.plain is None or made is None:
            return None
        predict = _fitted(made, part.plain, data, known, matrix)
        # In parts, so that the matrices of a large test part never stand beside the data whole.
        return np.concatenate([predict(rows) for rows in asked.split(ROWS_AT_ONCE)])

    return predictions


def linear_model(part: HeadPart, data: Dataset, seed: int) -> Any:
    """Ridge, Poisson or logistic regression."""
    return None if part.plain is None else part.plain.linear()


def boosted_trees(part: HeadPart, data: Dataset, seed: int, *, categories: np.ndarray | None = None) -> Any:
    """Gradient boosting on histograms; `categories` marks the columns of codes."""
    marked = categories if categories is not None and categories.any() else None
    options: dict[str, Any] = {"categorical_features": marked, "random_state": seed}
    return None if part.plain is None else part.plain.trees(len(data.target_schema.levels), **options)


def _fitted(
    model: Any, plain: PlainModels, data: Dataset, rows: Tensor, matrix: Matrix
) -> Callable[[Tensor], np.ndarray]:
    """Fit on the rows; what comes back predicts values, or probabilities with a column for every class or label."""
    target = data.target.index_select(0, rows).numpy()
    weight = None if data.weight is None else data.weight[rows].numpy()
    predict = plain.fit(model, matrix(data, rows), target, weight, len(data.target_schema.levels))
    return lambda asked: predict(matrix(data, asked))
