"""Two plain models of scikit-learn beside ours, on the same rows: a linear one and gradient-boosted trees.

They are trained on training and validation rows together (ours used both, for weights and for stopping), at most 100k
of them, with default settings, and scored on the same test rows by the same metrics.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from evenkeel import metrics
from evenkeel.data.dataset import Dataset
from evenkeel.heads._record import HeadPart
from evenkeel.network import flatten
from evenkeel.shapes import Tensor

MOST_ROWS = 100_000
ROWS_AT_ONCE = 20_000
MOST_CODES = 255  # scikit-learn's trees take no more levels in a category column
MOST_CLASSES = 30  # one tree per class and round: beyond this the baseline takes longer than the network
NAMES = ("linear", "gradient boosting")


def baseline_scores(part: HeadPart, data: Dataset, *, seed: int) -> dict[str, dict[str, float]]:
    """Name of the baseline -> its metrics on the test rows; empty without test rows."""
    test = torch.from_numpy(data.split.test)
    if not len(test):
        return {}
    rows = np.concatenate([data.split.train, data.split.validation])
    rows = np.random.default_rng([seed, 4]).permutation(rows)[:MOST_ROWS]
    known = torch.from_numpy(np.sort(rows))
    found = {}
    for name in NAMES:
        model = _model(name, part, data, seed)
        if model is None:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "did not converge" is no news for a yardstick
            predict = _fitted(model, part, data, known, _linear_matrix if name == "linear" else _tree_matrix)
            # In parts, so that the matrices of a large test part never stand beside the table whole.
            predicted = np.concatenate([predict(rows) for rows in test.split(ROWS_AT_ONCE)])
        found[name] = _scores(part, predicted, data.target[test])
    return found


def _linear_matrix(data: Dataset, rows: Tensor) -> np.ndarray:
    """Scaled numbers, flags where a column misses some, one-hot levels; filled part by part, without a second copy."""
    numbers, codes, levels = data.inputs["numbers"], data.inputs["categories"], data.schema.levels
    flagged = torch.tensor([bool(column.isnan().any()) for column in numbers.unbind(1)], dtype=torch.bool)
    kept = torch.cat([torch.ones_like(flagged), flagged, torch.ones(sum(levels), dtype=torch.bool)])
    matrix = np.empty((len(rows), int(kept.sum())), dtype=np.float32)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        matrix[start : start + len(part)] = flatten(numbers[part], codes[part], levels)[:, kept].numpy()
    return matrix


def _tree_matrix(data: Dataset, rows: Tensor) -> np.ndarray:
    """Numbers with NaN where missing, then codes; in float64, which scikit-learn's trees would copy it to."""
    numbers, codes = data.inputs["numbers"], data.inputs["categories"]
    matrix = np.empty((len(rows), numbers.shape[1] + codes.shape[1]))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        matrix[start : start + len(part), : numbers.shape[1]] = numbers[part].numpy()
        matrix[start : start + len(part), numbers.shape[1] :] = codes[part].numpy()
    return matrix


def _model(name: str, part: HeadPart, data: Dataset, seed: int) -> Any:
    """The scikit-learn estimator for this task."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
    from sklearn.multioutput import MultiOutputClassifier

    numbers = data.inputs["numbers"].shape[1]
    levels = data.schema.levels
    mask = np.array([False] * numbers + [count <= MOST_CODES for count in levels])
    options: dict[str, Any] = {"categorical_features": mask if mask.any() else None, "random_state": seed}
    if name != "linear" and part.reads == "class" and len(data.target_schema.levels) > MOST_CLASSES:
        return None
    positive = part.call.task == "positive-regression"
    if part.reads == "number":
        if name == "linear":
            return PoissonRegressor(alpha=1e-3, max_iter=300) if positive else Ridge(copy_X=False)
        return HistGradientBoostingRegressor(loss="poisson" if positive else "squared_error", **options)
    model = LogisticRegression(max_iter=300) if name == "linear" else HistGradientBoostingClassifier(**options)
    return MultiOutputClassifier(model) if part.reads == "labels" else model


def _fitted(
    model: Any, part: HeadPart, data: Dataset, rows: Tensor, matrix: Callable[[Dataset, Tensor], np.ndarray]
) -> Callable[[Tensor], np.ndarray]:
    """Fit on the rows; what comes back predicts values, or probabilities with a column for every class or label."""
    target = data.target[rows].numpy()
    if part.reads == "labels":
        return _fitted_labels(model, matrix(data, rows), target, lambda asked: matrix(data, asked))
    weight = None if data.weight is None else data.weight[rows].numpy()
    model.fit(matrix(data, rows), target, sample_weight=weight)
    if part.reads == "number":
        return lambda asked: model.predict(matrix(data, asked))

    def probabilities(asked: Tensor) -> np.ndarray:
        result = np.zeros((len(asked), len(data.target_schema.levels)))
        result[:, model.classes_] = model.predict_proba(matrix(data, asked))
        return result

    return probabilities


def _fitted_labels(
    model: Any, known: np.ndarray, target: np.ndarray, matrix: Callable[[Tensor], np.ndarray]
) -> Callable[[Tensor], np.ndarray]:
    """One classifier a label; a label with one value in these rows is predicted by its rate."""
    kept = [index for index in range(target.shape[1]) if len(np.unique(target[:, index])) > 1]
    if kept:
        model.fit(known, target[:, kept])

    def probabilities(asked: Tensor) -> np.ndarray:
        result = np.broadcast_to(target.mean(0), (len(asked), target.shape[1])).copy()
        if kept:
            result[:, kept] = np.stack([each[:, 1] for each in model.predict_proba(matrix(asked))], axis=1)
        return result

    return probabilities


def _scores(part: HeadPart, predicted: np.ndarray, target: Tensor) -> dict[str, float]:
    """The head's metrics that need no distribution."""
    found: dict[str, float] = {}
    for name in part.metrics:
        record: Mapping[str, Any] | Any = metrics.PARTS.get(name) if name in metrics.PARTS else None
        if record is None or "distribution" in record.expects:
            continue
        value = record.call(predicted, target)
        if value is not None:
            found[name] = value
    return found


def verdict(ours: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]], metric: str) -> str:
    """One plain sentence: does a baseline win on the foremost metric?"""
    if metric not in ours or not baselines:
        return ""
    better = 1.0 if metrics.PARTS[metric].better == "higher" else -1.0
    best = max(baselines, key=lambda name: better * baselines[name].get(metric, -better * np.inf))
    theirs, mine = baselines[best][metric], ours[metric]
    numbers = f"{metric} {theirs:.4g} against {mine:.4g}"
    if f"{theirs:.4g}" == f"{mine:.4g}":
        return f"A plain {best} model does as well on the test rows: {metric} {mine:.4g} for both."
    if better * (theirs - mine) > 0:
        return f"A plain {best} model does better on the test rows: {numbers}. Consider using it, or report this case."
    return f"The network is ahead of both plain models on the test rows; the nearest, {best}, has {numbers}."
