"""Permutation importance: how much worse a metric gets when one column is shuffled among the rows.

All features that come from a column are shuffled together. Source: Breiman 2001, doi:10.1023/A:1010933404324.
"""

from __future__ import annotations

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict

from evenkeel import metrics
from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import pick
from evenkeel.heads.base import HeadPart
from evenkeel.network import Network
from evenkeel.shapes import Tensor
from evenkeel.train.evaluate import outputs
from evenkeel.train.scores import scores

REPEATS = 3
# Rows times columns times repeats that are predicted in all: some seconds on a CPU.
PREDICTIONS = 300_000
FEWEST, MOST = 200, 2000  # rows; fewer say little, more refine nothing a person acts on


class Importance(BaseModel):
    """A column, how much the metric worsens without its information, and the scatter of that over repeats."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    column: str
    drop: float
    spread: float


def importance(network: Network, part: HeadPart, data: Dataset, *, seed: int) -> list[Importance]:
    """Every used column of a table, the most important first, on test rows (validation rows where there are none)."""
    held = data.split.test if len(data.split.test) else data.split.validation
    places = data.schema.places()
    if len(held) < 2 or not places:
        return []
    count = int(np.clip(PREDICTIONS / (len(places) * REPEATS), FEWEST, MOST))
    generator = np.random.default_rng([seed, 5])
    rows = torch.from_numpy(np.sort(generator.permutation(held)[:count]))
    inputs, truth = pick(data.inputs, rows), data.target.index_select(0, rows)
    metric = part.metrics[0]
    better = 1.0 if metrics.PARTS[metric].better == "higher" else -1.0
    only = HeadPart(**{**vars(part), "metrics": (metric,)})

    def measure(changed: dict[str, Tensor]) -> float:
        return scores(only, network.head, outputs(network, changed), truth).get(metric, float("nan"))

    base = measure(inputs)
    columns = []
    for column, features in places.items():
        drops = []
        for _ in range(REPEATS):
            order = torch.from_numpy(generator.permutation(len(rows)))
            drops.append(better * (base - measure(_shuffled(inputs, features, order))))
        columns.append(Importance(column=column, drop=float(np.mean(drops)), spread=float(np.std(drops))))
    return sorted(columns, key=lambda each: -each.drop)


def _shuffled(inputs: dict[str, Tensor], features: list[tuple[str, int]], order: Tensor) -> dict[str, Tensor]:
    """The inputs with some features taken from other rows."""
    changed = dict(inputs)
    for name, index in features:
        changed[name] = changed[name].clone() if changed[name] is inputs[name] else changed[name]
        changed[name][:, index] = inputs[name][order, index]
    return changed
