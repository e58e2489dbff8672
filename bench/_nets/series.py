"""Series: the hourly measurements of one electricity transformer, split as all published results split them."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import polars as pl

import evenkeel as ek
from bench._nets._set import Figures, NetSet

HORIZON, WINDOW = 96, 336
# 12, 4 and 4 months of 30 days; what comes after them is not used.
PARTS: Mapping[str, range] = {
    "train": range(8640),
    "validation": range(8640, 11520),
    "test": range(11520, 14400),
}


def standardised_table(folder: Path) -> pl.DataFrame:
    """The table with each column in standard deviations from its mean, both those of the training rows."""
    frame = pl.read_csv(gzip.decompress((folder / "etth1" / "ETTh1.csv.gz").read_bytes()))
    train = frame[: len(PARTS["train"])]
    numbers = [name for name in frame.columns if name != "date"]
    return frame.with_columns((pl.col(name) - train[name].mean()) / train[name].std(ddof=0) for name in numbers)


def transformer(folder: Path, seed: int) -> Figures:
    """All seven series, 96 hours ahead; errors over all series and all test windows."""
    settings = {"horizon": HORIZON, "window": WINDOW}
    run = ek.fit(standardised_table(folder), kind="series", split=PARTS, seed=seed, settings=settings, progress=False)
    theirs = {f"mse of {name}": found["rmse"] ** 2 for name, found in run.record.baselines.items()}
    return {**run.metrics, "mse": run.metrics["rmse"] ** 2, **theirs, "updates": float(run.history[-1].update)}


SETS: tuple[NetSet, ...] = (
    NetSet(
        name="etth1",
        metric="mse",
        better="lower",
        floor=1.2944,
        floor_text="the last value repeated",
        wanted=0.385,
        published="DLinear .375, PatchTST .370, FEDformer .376, Autoformer .449, Informer .865",
        minutes=0.5,
        run=transformer,
        protocol="12 / 4 / 4 months, standardised by training, 336 -> 96 hours, 7 series, 2785 test windows each",
    ),
)
