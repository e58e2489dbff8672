"""The models of scikit-learn that answer the same question as a head: what a network is measured beside.

A record of these stands in the record of a head; a kind of data brings the matrix that they are fitted on. They have
their default settings, but for what would take longer than the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

MOST_CLASSES = 30  # one tree for each class and round: beyond this trees take longer than the network

Predict = Callable[[Any], np.ndarray]
"""A matrix (row, feature) -> predictions as metrics take them."""


@dataclass(frozen=True, kw_only=True)
class PlainModels:
    """Unfitted models, and how one is fitted and read.

    Args:
        linear: a linear model.
        trees: (classes, options of scikit-learn) -> gradient-boosted trees on histograms; None where these are slow.
        neighbours: (how many) -> a model of the nearest neighbours.
        naive_bayes: a model of independent counts; None where there is none.
        fit: (model, matrix, target, weights, number of classes or labels) -> how the fitted model predicts.
        each: whether one model answers for the whole row, or one for each label.
    """

    linear: Callable[[], Any]
    trees: Callable[..., Any]
    neighbours: Callable[[int], Any]
    fit: Callable[[Any, Any, np.ndarray, np.ndarray | None, int], Predict]
    naive_bayes: Callable[[], Any] = lambda: None
    each: Literal["row", "label"] = "row"


def _ridge() -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(copy_X=False)


def _poisson() -> Any:
    from sklearn.linear_model import PoissonRegressor

    return PoissonRegressor(alpha=1e-3, max_iter=300)


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=300)


def _regression_trees(classes: int, *, loss: str = "squared_error", **options: Any) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(loss=loss, **options)


def _poisson_trees(classes: int, **options: Any) -> Any:
    return _regression_trees(classes, loss="poisson", **options)


def _label_trees(classes: int, **options: Any) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return _for_each_label(HistGradientBoostingClassifier(**options))


def _class_trees(classes: int, **options: Any) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return None if classes > MOST_CLASSES else HistGradientBoostingClassifier(**options)


def _for_each_label(model: Any) -> Any:
    from sklearn.multioutput import MultiOutputClassifier

    return MultiOutputClassifier(model)


def _near_numbers(count: int) -> Any:
    from sklearn.neighbors import KNeighborsRegressor

    return KNeighborsRegressor(n_neighbors=count)


def _near_classes(count: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(n_neighbors=count)


def _naive_bayes() -> Any:
    from sklearn.naive_bayes import MultinomialNB

    return MultinomialNB()


def fit_numbers(model: Any, matrix: Any, target: np.ndarray, weight: np.ndarray | None, classes: int) -> Predict:
    """Fit a regressor; it predicts values."""
    return model.fit(matrix, target, sample_weight=weight).predict


def fit_classes(model: Any, matrix: Any, target: np.ndarray, weight: np.ndarray | None, classes: int) -> Predict:
    """Fit a classifier; it predicts probabilities with a column for every class, also for one it has not seen."""
    model.fit(matrix, target, sample_weight=weight)

    def probabilities(matrix: Any) -> np.ndarray:
        known = model.predict_proba(matrix)
        every = np.zeros((len(known), classes))  # a row may have many steps, each answered
        every[:, model.classes_] = known
        return every

    return probabilities


def fit_labels(model: Any, matrix: Any, target: np.ndarray, weight: np.ndarray | None, classes: int) -> Predict:
    """Fit one classifier for each label; a label with one value in these rows is predicted by its rate."""
    varied = [index for index in range(target.shape[1]) if len(np.unique(target[:, index])) > 1]
    if varied:
        model.fit(matrix, target[:, varied])

    def probabilities(matrix: Any) -> np.ndarray:
        rates = np.broadcast_to(target.mean(0), (matrix.shape[0], target.shape[1])).copy()
        if varied:
            rates[:, varied] = np.stack([each[:, 1] for each in model.predict_proba(matrix)], axis=1)
        return rates

    return probabilities


OF_NUMBERS = PlainModels(linear=_ridge, trees=_regression_trees, neighbours=_near_numbers, fit=fit_numbers)
OF_RATES = replace(OF_NUMBERS, linear=_poisson, trees=_poisson_trees)
OF_CLASSES = PlainModels(
    linear=_logistic, trees=_class_trees, neighbours=_near_classes, naive_bayes=_naive_bayes, fit=fit_classes
)
OF_LABELS = PlainModels(
    linear=lambda: _for_each_label(_logistic()),
    trees=_label_trees,
    neighbours=_near_classes,
    fit=fit_labels,
    each="label",
)
