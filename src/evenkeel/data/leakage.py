"""Leakage: columns that by themselves predict the target almost perfectly.

Such a column is rather a copy of the target than a cause of it. For every column a shallow decision tree on that column
alone (for numbers also a line through the known rows) is scored on held-out rows, with accuracy or R². Above the
threshold the column is reported: perhaps it is known only after the fact, or computed from the target.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from evenkeel.data.schema import Schema
from evenkeel.data.target import TargetKind
from evenkeel.shapes import Tensor

ALMOST_PERFECT = 0.99  # of R² or of the accuracy above the commonest class
ROWS = 5_000  # enough to judge one column; a tree on more rows costs without telling more
DEPTH = 8
# Fewer held-out rows, or fewer outside the commonest class, and one column of many is perfect by chance.
FEWEST_ROWS, FEWEST_UNCOMMON = 20, 5


def leaking_columns(
    schema: Schema, inputs: Mapping[str, Tensor], target: Tensor, kind: TargetKind, seed: int
) -> dict[str, float]:
    """Column name -> score in [0, 1] of the columns that alone predict the target almost perfectly."""
    if kind == "labels":
        return {}
    generator = np.random.default_rng([seed, 3])
    rows = generator.permutation(len(target))[:ROWS]
    truth = target.numpy()[rows]
    features: dict[str, list[np.ndarray]] = {}
    for index, number in enumerate(schema.numbers):
        features.setdefault(number.column, []).append(inputs["numbers"][rows, index].numpy())
    for index, category in enumerate(schema.categories):
        features.setdefault(category.column, []).append(inputs["categories"][rows, index].numpy())
    scores = {name: _score(np.stack(columns, axis=1), truth, kind) for name, columns in features.items()}
    return {name: score for name, score in scores.items() if score >= ALMOST_PERFECT}


def _score(columns: np.ndarray, truth: np.ndarray, kind: TargetKind) -> float:
    """Held-out score of a shallow tree on one column: 0 for the best constant, 1 for perfect."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    half = len(truth) // 2
    if len(truth) - half < FEWEST_ROWS:
        return 0.0
    tree = (DecisionTreeClassifier if kind == "class" else DecisionTreeRegressor)(max_depth=DEPTH, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class with one row is no news here
        tree.fit(columns[:half], truth[:half])
    predicted, actual = tree.predict(columns[half:]), truth[half:]
    if kind != "class":
        return max(_explained(predicted, actual), _score_of_line(columns, truth, half))
    constant = 1.0 - np.bincount(actual).max() / len(actual)
    judged = constant * len(actual) >= FEWEST_UNCOMMON - 0.5
    return 1.0 - float(np.mean(predicted != actual) / constant) if judged else 0.0


def _explained(predicted: np.ndarray, actual: np.ndarray) -> float:
    """R²; 0 where there is nothing to explain."""
    spread = np.var(actual) if len(actual) else 0.0
    return 1.0 - float(np.mean((predicted - actual) ** 2) / spread) if spread > 0 else 0.0


def _score_of_line(columns: np.ndarray, truth: np.ndarray, half: int) -> float:
    """R² of the target read off a line through the known rows: on few rows a tree is too coarse to see a plain copy."""
    if columns.shape[1] > 1 or np.isnan(columns).any():
        return 0.0
    places, index = np.unique(columns[:half, 0], return_inverse=True)
    heights = np.bincount(index, weights=truth[:half]) / np.bincount(index)
    new = columns[half:, 0]
    inside = (new >= places[0]) & (new <= places[-1])
    return _explained(np.interp(new[inside], places, heights), truth[half:][inside])
