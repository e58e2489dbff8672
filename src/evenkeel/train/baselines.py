"""Baselines on the same rows: for a table a linear model and gradient-boosted trees of scikit-learn.

They are trained on training and validation rows together (ours used both, for weights and for stopping), at most 100k
of them, with default settings, and scored on the same test rows by the same metrics. Each kind of data names its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from evenkeel import metrics
from evenkeel.data.dataset import Dataset
from evenkeel.heads.base import HeadPart
from evenkeel.kinds import PARTS as KINDS
from evenkeel.shapes import Tensor
from evenkeel.train.scores import metrics_of

MOST_ROWS = 100_000


def baseline_scores(part: HeadPart, data: Dataset, *, seed: int) -> dict[str, dict[str, float]]:
    """Name of the baseline -> its metrics on the test rows; empty without test rows."""
    test = torch.from_numpy(data.split.test)
    if not len(test):
        return {}
    rows = np.concatenate([data.split.train, data.split.validation])
    rows = np.random.default_rng([seed, 4]).permutation(rows)[:MOST_ROWS]
    known = torch.from_numpy(np.sort(rows))
    scored = {}
    for name, predict in KINDS[data.schema.kind].baselines.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "did not converge" is no news for a yardstick
            predicted = predict(part, data, known, test, seed)
        if predicted is not None:
            scored[name] = _scores(part, predicted, data.target.index_select(0, test))
    return scored


def _scores(part: HeadPart, predicted: np.ndarray, target: Tensor) -> dict[str, float]:
    """The head's metrics that need no distribution."""
    scored: dict[str, float] = {}
    for name in metrics_of(part):
        record: Mapping[str, Any] | Any = metrics.PARTS.get(name) if name in metrics.PARTS else None
        if record is None or "distribution" in record.expects:
            continue
        value = record.call(predicted, target)
        if value is not None:
            scored[name] = value
    return scored


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
    plain = "both plain models" if len(baselines) == 2 else "every plain model"
    return f"The network is ahead of {plain} on the test rows; the nearest, {best}, has {numbers}."
