"""Small series with a known course: a daily cycle and a weekly one, in units far from each other."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

import evenkeel as ek
from evenkeel.data.dataset import SplitRequest
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.series.kind import SeriesOptions, prepare_series

QUICK = {"horizon": 6, "window": 24, "updates": 40, "width": 8, "batch_size": 64, "evaluations": 4}


def hourly(steps: int = 400, seed: int = 0) -> pl.DataFrame:
    """`load` around 1e6, `heat` around 0.01, both with a cycle of 24 steps and noise; `town` is text."""
    generator = np.random.default_rng(seed)
    hour = np.arange(steps)
    cycle = np.sin(2 * np.pi * hour / 24)
    begin = datetime(2024, 1, 1)
    return pl.DataFrame(
        {
            "when": [begin + timedelta(hours=int(each)) for each in hour],
            "load": 1e6 + 2e5 * cycle + 2e4 * generator.normal(size=steps),
            "heat": 0.01 - 0.003 * cycle + 3e-4 * generator.normal(size=steps),
            "town": ["bern" if each % 2 else "chur" for each in hour],
        }
    )


def fitted(data=None, settings=(), **options):
    """A quick run of the series, or of other data."""
    chosen = {**QUICK, **dict(settings)}
    return ek.fit(hourly() if data is None else data, settings=chosen, progress=False, **options)


def prepared(frame=None, target=None, task=None, request=None, weight=None, **options):
    """The dataset and the task, as `fit` has them made."""
    asked = DataRequest(
        target=target,
        task=task,
        split=request or SplitRequest(),
        weight=weight,
        options=SeriesOptions(**{"horizon": 6, "window": 24, **options}),
    )
    return prepare_series(hourly() if frame is None else frame, asked)


def with_gaps(frame=None, fill=None, **rows):
    """A table whose columns miss their values in the given rows, or have another one there."""
    frame = hourly() if frame is None else frame
    for name, gap in rows.items():
        there = pl.int_range(pl.len()).is_in(list(gap))
        frame = frame.with_columns(pl.when(there).then(pl.lit(fill, pl.Float64)).otherwise(name).alias(name))
    return frame
