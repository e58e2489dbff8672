"""Plain models of scikit-learn beside the network: what is left to each kind of data is to give them a matrix.

Default settings; a linear model for every task, and gradient-boosted trees where the columns are few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from evenkeel.data.dataset import Dataset
from evenkeel.heads import HeadPart
from evenkeel.kinds.base import Rival
from evenkeel.shapes import Tensor

ROWS_AT_ONCE = 20_000
MOST_CLASSES = 30  # one tree per class and round: beyond this trees take longer than the network
NUMBERS = ("regression", "probabilistic-regression", "positive-regression")
TASKS = (*NUMBERS, "single-label", "multi-label")  # what they can learn

Matrix = Callable[[Dataset, Tensor], Any]
"""(dataset, rows) -> (row, feature), as an array or a sparse matrix."""


def rival(model: Callable[[HeadPart, Dataset, int], Any], matrix: Matrix) -> Rival:
    """A model of scikit-learn on a matrix, as a kind's record holds it."""

    def predictions(part: HeadPart, data: Dataset, known: Tensor, asked: Tensor, seed: int) -> np.ndarray | None:
        made = model(part, data, seed) if part.call.task in TASKS else None
        if made is None:
            return None
        predict = _fitted(made, part, data, known, matrix)
        # In parts, so that the matrices of a large test part never stand beside the data whole.
        return np.concatenate([predict(rows) for rows in asked.split(ROWS_AT_ONCE)])

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


def _fitted(model: Any, part: HeadPart, data: Dataset, rows: Tensor, matrix: Matrix) -> Callable[[Tensor], np.ndarray]:
    """Fit on the rows; what comes back predicts values, or probabilities with a column for every class or label."""
    target = data.target.index_select(0, rows).numpy()
    if part.reads == "labels":
        return _fitted_labels(model, matrix(data, rows), target, lambda asked: matrix(data, asked))
    weight = None if data.weight is None else data.weight[rows].numpy()
    model.fit(matrix(data, rows), target, sample_weight=weight)
    if part.reads == "number":
        return lambda asked: model.predict(matrix(data, asked))

    def probabilities(asked: Tensor) -> np.ndarray:
        found = model.predict_proba(matrix(data, asked))
        result = np.zeros((len(found), len(data.target_schema.levels)))  # a row may have many steps, each answered
        result[:, model.classes_] = found
        return result

    return probabilities


def _fitted_labels(
    model: Any, known: Any, target: np.ndarray, matrix: Callable[[Tensor], Any]
) -> Callable[[Tensor], np.ndarray]:
    """One classifier a label; a label with one value in these rows is predicted by its rate."""
    kept = [index for index in range(target.shape[1]) if len(np.unique(target[:, index])) > 1]
    if kept:
        model.fit(known, target[:, kept])

    def probabilities(asked: Tensor) -> np.ndarray:
        given = matrix(asked)
        result = np.broadcast_to(target.mean(0), (given.shape[0], target.shape[1])).copy()
        if kept:
            result[:, kept] = np.stack([each[:, 1] for each in model.predict_proba(given)], axis=1)
        return result

    return probabilities
