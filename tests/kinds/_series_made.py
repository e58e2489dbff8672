"""Small series with a known course: a daily cycle and a weekly one, in units far from each other."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

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
