"""Defaults of the plan for forecasts: one network, and few passes over many windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evenkeel.data.dataset import Dataset
from evenkeel.kinds.series.schema import SeriesSchema
from evenkeel.task import TaskChoice

# Passes over the windows, within these numbers of updates: windows overlap, so that few passes are enough.
PASSES, FEWEST_UPDATES, MOST_UPDATES = 6, 600, 6000
SMALLEST_BATCH, LARGEST_BATCH = 32, 256


def series_recipe(net: str, dataset: Dataset[SeriesSchema], choice: TaskChoice) -> Mapping[str, Any]:
    """One network, few passes over many windows; sizes by the net alone."""
    rows = len(dataset.split.train)
    batch = int(np.clip(2 ** round(np.log2(max(rows / 16, 1))), SMALLEST_BATCH, LARGEST_BATCH))
    shared = {
        "members": None,
        "bins": None,
        "learning_rate": 1e-3,
        "weight_decay": 1e-2,
        "batch_size": batch,
        "updates": int(np.clip(PASSES * rows / batch, FEWEST_UPDATES, MOST_UPDATES)),
        "evaluations": 20,
        # Calibration widens what late weights say too surely: then they are the better ones (LOG.md).
        "keep": "last",
        "dropout": 0.3,
        "depth": 1,
    }
    sizes: Mapping[str, Mapping[str, Any]] = {
        "rnn": {"width": 128, "activation": "tanh", "norm": "layer"},
        "cnn": {"width": 16, "depth": 4, "norm": "auto"},
        "transformer": {"width": 64, "depth": 2, "norm": "layer", "activation": "gelu"},
    }
    return {**shared, "width": 128, **sizes.get(net, {})}
