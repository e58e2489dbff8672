"""Plain models of scikit-learn beside the network; each kind of data gives them a matrix.

Default settings; a linear model for every task, and gradient-boosted trees where the columns are few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from evenkeel.data.dataset import Dataset
from evenkeel.data.schema import DataSchema
from evenkeel.heads import HeadPart
from evenkeel.heads.plain_models import PlainModels
from evenkeel.kinds.base import Baseline
from evenkeel.shapes import Tensor

S = TypeVar("S", bound=DataSchema)

ROWS_AT_ONCE = 20_000

Matrix = Callable[[Dataset[S], Tensor], Any]
"""(dataset, rows) -> (row, feature), as an array or a sparse matrix."""


def baseline(model: Callable[[HeadPart, Dataset[S], int], Any], matrix: Matrix[S]) -> Baseline[S]:
    """A model of scikit-learn on a matrix, as a kind's record holds it."""

    def predictions(part: HeadPart, data: Dataset[S], known: Tensor, rows: Tensor, seed: int) -> np.ndarray | None:
        made = None if part.plain is None else model(part, data, seed)
        if part.plain is None or made is None:
            return None
        predict = _fitted(made, part.plain, data, known, matrix)
        # In parts, so that the matrices of a large test part never stand beside the data whole.
        return np.concatenate([predict(some) for some in rows.split(ROWS_AT_ONCE)])

    return predictions


def linear_model(part: HeadPart, data: Dataset, seed: int) -> Any:
    """Ridge, Poisson or logistic regression."""
    return None if part.plain is None else part.plain.linear()


class NearestNeighbours:
    """scikit-learn's classifier or regressor; it knows no weights of examples, so those are left out."""

    def __init__(self, plain: PlainModels, count: int) -> None:
        self.plain, self.count = plain, count
        self.classes_ = np.empty(0)

    def fit(self, matrix: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None = None) -> NearestNeighbours:
        """Remember the rows."""
        self.model: Any = self.plain.neighbours(min(self.count, len(matrix))).fit(matrix, target)
        self.classes_ = getattr(self.model, "classes_", self.classes_)
        return self

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        """The mean of the neighbours."""
        return self.model.predict(matrix)

    def predict_proba(self, matrix: np.ndarray) -> Any:
        """The share of the neighbours in each class."""
        return self.model.predict_proba(matrix)


def boosted_trees(part: HeadPart, data: Dataset, seed: int, *, categories: np.ndarray | None = None) -> Any:
    """Gradient boosting on histograms; `categories` marks the columns of codes."""
    marked = categories if categories is not None and categories.any() else None
    options: dict[str, Any] = {"categorical_features": marked, "random_state": seed}
    return None if part.plain is None else part.plain.trees(len(data.target_schema.levels), **options)


def _fitted(
    model: Any, plain: PlainModels, data: Dataset[S], known: Tensor, matrix: Matrix[S]
) -> Callable[[Tensor], np.ndarray]:
    """Fit on the rows; what comes back predicts values, or probabilities with a column for every class or label."""
    target = data.target.index_select(0, known).numpy()
    weight = None if data.weight is None else data.weight[known].numpy()
    predict = plain.fit(model, matrix(data, known), target, weight, len(data.target_schema.levels))
    return lambda rows: predict(matrix(data, rows))
