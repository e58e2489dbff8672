"""Small tables with a known answer, as data sets, plans and networks that train in a moment."""

from functools import cache

import numpy as np
import polars as pl
import torch

from evenkeel.data.dataset import Dataset, SplitRequest, build_dataset, set_target_apart
from evenkeel.network import Network, build_network
from evenkeel.plan import Plan, make_plan
from evenkeel.run.fit import fit
from evenkeel.run.run import Run
from evenkeel.task import KINDS

LABELS = ["wet", "cold"]


def small_frame(rows: int = 240, seed: int = 0) -> pl.DataFrame:
    """`signal` and `town` decide every target, `noise` none; `signal` has gaps; `town` is a category."""
    generator = np.random.default_rng(seed)
    signal, noise = generator.normal(size=(2, rows))
    town = generator.choice(["bern", "basel", "chur"], size=rows)
    height = 20 + 5 * signal + 3 * (town == "chur") + 0.5 * generator.normal(size=rows)
    frame = pl.DataFrame(
        {
            "signal": [None if index % 17 == 3 else float(value) for index, value in enumerate(signal)],
            "noise": noise,
            "town": town,
            "height": height,
            "count": generator.poisson(np.exp(1 + 0.8 * signal)),
            "class": np.where(town == "bern", "low", np.where(signal > 0, "high", "middle")),
            "wet": (signal > 0.5).astype(int),
            "cold": (town == "chur").astype(int),
        }
    )
    return frame


TARGETS = {
    "regression": "height",
    "probabilistic-regression": "height",
    "positive-regression": "count",
    "single-label": "class",
    "multi-label": LABELS,
}


def small_table(task: str, rows: int = 240, seed: int = 0) -> pl.DataFrame:
    """The three feature columns and the task's target."""
    target = TARGETS[task]
    return small_frame(rows, seed)[["signal", "noise", "town", *([target] if isinstance(target, str) else target)]]


def small_dataset(task: str, rows: int = 240, **options) -> Dataset:
    """The table as a data set; `validation`, `test`, `seed` go to the split, `weight` to the rows."""
    weight = options.pop("weight", None)
    table = set_target_apart(small_table(task, rows), TARGETS[task])
    return build_dataset(table, KINDS[task], SplitRequest(**options), weight=weight)


def small_plan(task: str, rows: int = 168, **settings) -> Plan:
    """A plan of 60 updates for two members of 16 units."""
    chosen = {"updates": 60, "members": 2, "width": 16, "depth": 1, "batch_size": 32, "bins": 4, "evaluations": 6}
    return make_plan(task, rows=rows, counts=task == "positive-regression", settings={**chosen, **settings})


def small_network(task: str, data: Dataset | None = None, **settings) -> Network:
    """The network of the small plan, started for the small data set."""
    return build_network(small_plan(task, **settings), data or small_dataset(task))[0]


def same(left: dict, right: dict) -> bool:
    """Whether two state dicts hold the same bits."""
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


SETTINGS = {"updates": 150, "members": 2, "width": 32, "depth": 1}


@cache
def small_run(task: str) -> Run:
    """A run of `fit` on the small table of a task; trained once, not to be changed."""
    data = small_table(task)
    return fit(data, target=TARGETS[task], task=task, progress=False, settings=SETTINGS)
