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
from evenkeel.kinds.base import Baseline
from evenkeel.shapes import Tensor

S = TypeVar("S", bound=DataSchema)

ROWS_AT_ONCE = 20_000
MOST_CLASSES = 30  # one tree per class and round: beyond this trees take longer than the network
NUMBERS = ("regression", "probabilistic-regression", "positive-regression")
TASKS = (*NUMBERS, "single-label", "multi-label")  # what they can learn

Matrix = Callable[[Dataset[S], Tensor], Any]
"""(dataset, rows) -> (row, feature), as an array or a sparse matrix."""


def baseline(model: Callable[[HeadPart, Dataset[S], int], Any], matrix: Matrix[S]) -> Baseline[S]:
    """A model of scikit-learn on a matrix, as a kind's record holds it."""

    def predictions(part: HeadPart, data: Dataset[S], known: Tensor, rows: Tensor, seed: int) -> np.ndarray | None:
        made = model(part, data, seed) if part.call.task in TASKS else None
        if made is None:
            return None
        predict = _fitted(made, part, data, known, matrix)
        # In parts, so that the matrices of a large test part never stand beside the data whole.
        return np.concatenate([predict(some) for some in rows.split(ROWS_AT_ONCE)])

    return predictions


def linear_model(part: HeadPart, data: Dataset, seed: int) -> Any:
    """Ridge, Poisson or logistic regression."""
    from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
    from sklearn.multioutput import MultiOutputClassifier

    if part.reads == "number":
        positive = part.call.task == "positive-regression"
        return PoissonRegressor(alpha=1e-3, max_iter=300) if positive else Ridge(copy_X=False)
    model = LogisticRegression(max_iter=300)
    return MultiOutputClassifier(model) if part.reads == "labels" else model


class NearestNeighbours:
    """scikit-learn's classifier or regressor; it knows no weights of examples, so those are left out."""

    def __init__(self, reads: str, count: int) -> None:
        self.reads, self.count = reads, count
        self.classes_ = np.empty(0)

    def fit(self, matrix: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None = None) -> NearestNeighbours:
        """Remember the rows."""
        from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

        made = KNeighborsRegressor if self.reads == "number" else KNeighborsClassifier
        self.model: Any = made(n_neighbors=min(self.count, len(matrix))).fit(matrix, target)
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
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.multioutput import MultiOutputClassifier

    if part.reads == "class" and len(data.target_schema.levels) > MOST_CLASSES:
        return None
    marked = categories if categories is not None and categories.any() else None
    options: dict[str, Any] = {"categorical_features": marked, "random_state": seed}
    if part.reads == "number":
        positive = part.call.task == "positive-regression"
        return HistGradientBoostingRegressor(loss="poisson" if positive else "squared_error", **options)
    model = HistGradientBoostingClassifier(**options)
    return MultiOutputClassifier(model) if part.reads == "labels" else model


def _fitted(
    model: Any, part: HeadPart, data: Dataset[S], known: Tensor, matrix: Matrix[S]
) -> Callable[[Tensor], np.ndarray]:
    """Fit on the rows; what comes back predicts values, or probabilities with a column for every class or label."""
    target = data.target.index_select(0, known).numpy()
    if part.reads == "labels":
        return _fitted_labels(model, matrix(data, known), target, lambda rows: matrix(data, rows))
    weight = None if data.weight is None else data.weight[known].numpy()
    model.fit(matrix(data, known), target, sample_weight=weight)
    if part.reads == "number":
        return lambda rows: model.predict(matrix(data, rows))

    def probabilities(rows: Tensor) -> np.ndarray:
        shares = model.predict_proba(matrix(data, rows))
        result = np.zeros((len(shares), len(data.target_schema.levels)))  # a row may have many steps, each answered
        result[:, model.classes_] = shares
        return result

    return probabilities


def _fitted_labels(
    model: Any, known: Any, target: np.ndarray, matrix: Callable[[Tensor], Any]
) -> Callable[[Tensor], np.ndarray]:
    """One classifier a label; a label with one value in these rows is predicted by its rate."""
    kept = [index for index in range(target.shape[1]) if len(np.unique(target[:, index])) > 1]
    if kept:
        model.fit(known, target[:, kept])

    def probabilities(rows: Tensor) -> np.ndarray:
        features = matrix(rows)
        result = np.broadcast_to(target.mean(0), (features.shape[0], target.shape[1])).copy()
        if kept:
            result[:, kept] = np.stack([each[:, 1] for each in model.predict_proba(features)], axis=1)
        return result

    return probabilities
