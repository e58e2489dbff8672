"""The real data sets of the quality bench: how each is read, split and judged, and what others have published.

`EVENKEEL_DATA` names their folder. A set is used with default settings; nothing is tuned for it.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from evenkeel.data.table import read_table
from evenkeel.errors import DataError

SPLITS = 20


@dataclass(frozen=True, kw_only=True)
class Case:
    """One fit: the data, the column(s) to predict, the rows of each part, and the seed."""

    frame: pl.DataFrame
    target: str | list[str]
    split: dict[str, list[int]]
    seed: int
    task: str | None = None
    loss: str | None = None


@dataclass(frozen=True, kw_only=True)
class Set:
    """A data set: how many cases, how to make each, and the metrics to average."""

    name: str
    cases: int
    case: Callable[[int], Case]
    metrics: tuple[str, ...]


def folder() -> Path:
    """Where the data sets lie."""
    name = os.environ.get("EVENKEEL_DATA", "")
    if not Path(name).is_dir() or not name:
        raise DataError("the quality bench needs real data sets: set EVENKEEL_DATA to their folder")
    return Path(name)


def uci(name: str, index: int) -> Case:
    """One of the 20 given splits of a UCI regression set."""
    place = folder() / f"uci-{name}"
    values = np.loadtxt(place / "data.txt")
    features = np.loadtxt(place / "index_features.txt").astype(int)
    target = int(np.loadtxt(place / "index_target.txt"))
    frame = pl.DataFrame({**{f"x{i}": values[:, i] for i in features}, "y": values[:, target]})
    rows = {part: np.loadtxt(place / f"index_{part}_{index}.txt").astype(int).tolist() for part in ("train", "test")}
    return Case(frame=frame, target="y", task="probabilistic-regression", split=rows, seed=index)


def california(index: int) -> Case:
    """64 / 16 / 20 at random, the shares of the published results."""
    frame = read_table(folder() / "california-housing" / "fetch_california_housing.csv.gz")
    order = np.random.default_rng(index).permutation(frame.height)
    first, second = int(0.64 * len(order)), int(0.80 * len(order))
    parts = {"train": order[:first], "validation": order[first:second], "test": order[second:]}
    return Case(frame=frame, target="target", split={k: v.tolist() for k, v in parts.items()}, seed=index)


def adult(index: int) -> Case:
    """The official training and test files; their labels differ by a trailing dot."""
    train = read_table(folder() / "adult" / "adult-train.csv.gz").cast(pl.String)
    test = read_table(folder() / "adult" / "adult-test.csv.gz").cast(pl.String)
    test = test.rename(dict(zip(test.columns, train.columns, strict=True)))
    label = train.columns[-1]
    frame = pl.concat([train, test]).with_columns(pl.col(label).str.strip_chars(" ."))
    rows = {"train": list(range(train.height)), "test": list(range(train.height, frame.height))}
    return Case(frame=frame, target=label, split=rows, seed=index)


def folds(frame: pl.DataFrame, count: int, index: int, strata: np.ndarray | None = None) -> dict[str, list[int]]:
    """Fold `index` of a shuffled cross-validation as the test part; stratified where classes are given."""
    from sklearn.model_selection import KFold, StratifiedKFold

    kind = KFold if strata is None else StratifiedKFold
    cutter = kind(count, shuffle=True, random_state=index // count)
    train, test = list(cutter.split(np.zeros(frame.height), strata))[index % count]
    return {"train": train.tolist(), "test": test.tolist()}


def insurance(index: int) -> Case:
    """10-fold cross-validation."""
    frame = read_table(folder() / "insurance-charges" / "insurance.csv")
    return Case(frame=frame, target="charges", split=folds(frame, 10, index), seed=index)


NMES_COLUMNS = ["visits", "hospital", "health", "chronic", "adl", "region", "age", "afam", "gender", "married"]
NMES_COLUMNS += ["school", "income", "employed", "insurance", "medicaid"]


def nmes(index: int) -> Case:
    """10-fold cross-validation; the other visit counts are outcomes too and are left out."""
    frame = read_table(folder() / "nmes1988-counts" / "NMES1988.csv").select(NMES_COLUMNS)
    return Case(frame=frame, target="visits", split=folds(frame, 10, index), seed=index)


def phoneme(index: int) -> Case:
    """Stratified 5-fold cross-validation."""
    frame = read_table(folder() / "phoneme" / "phoneme.csv")
    label = frame.columns[-1]
    return Case(frame=frame, target=label, split=folds(frame, 5, index, frame[label].to_numpy()), seed=index)


def mammography(index: int, loss: str | None = None) -> Case:
    """Stratified 3-fold cross-validation, as in the published tutorial."""
    frame = read_table(folder() / "mammography" / "mammography.csv")
    label = frame.columns[-1]
    return Case(frame=frame, target=label, split=folds(frame, 3, index, frame[label].to_numpy()), seed=index, loss=loss)


def multi_label(name: str, labels: int, index: int) -> Case:
    """The official training and test files."""
    ending = ".gz" if name == "yeast" else ""
    parts = [arff(folder() / f"ml-{name}" / f"{name}-{part}.arff{ending}") for part in ("train", "test")]
    frame = pl.concat(parts)
    names = frame.columns[-labels:]
    frame = frame.with_columns(pl.col(names).cast(pl.Int8))
    first = parts[0].height
    rows = {"train": list(range(first)), "test": list(range(first, frame.height))}
    return Case(frame=frame, target=names, split=rows, seed=index)


def arff(path: Path) -> pl.DataFrame:
    """A dense or sparse ARFF file of numbers."""
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as file:
        lines = [line.strip() for line in file if line.strip() and not line.startswith("%")]
    names = [line.split()[1].strip("'\"") for line in lines if line.lower().startswith("@attribute")]
    rows = lines[[line.lower() for line in lines].index("@data") + 1 :]
    return pl.DataFrame([_row(line, len(names)) for line in rows], schema=names, orient="row")


def _row(line: str, width: int) -> list[float]:
    if not line.startswith("{"):
        return [float(cell) for cell in line.split(",")]
    row = [0.0] * width
    for item in line.strip("{}").split(","):
        place, value = item.split()
        row[int(place)] = float(value)
    return row


REGRESSION = ("rmse", "nll", "coverage_90")
SETS = [
    *(
        Set(name=f"uci-{name}", cases=SPLITS, case=lambda index, name=name: uci(name, index), metrics=REGRESSION)
        for name in ("bostonHousing", "concrete", "energy", "wine-quality-red", "power-plant")
    ),
    Set(name="california-housing", cases=2, case=california, metrics=REGRESSION),
    Set(name="insurance-charges", cases=10, case=insurance, metrics=("r2", "rmse", "nll", "coverage_90")),
    Set(name="nmes1988", cases=5, case=nmes, metrics=("poisson_nll", "nll", "rmse", "coverage_90")),
    Set(name="adult", cases=1, case=adult, metrics=("accuracy", "auc", "log_loss")),
    Set(name="phoneme", cases=5, case=phoneme, metrics=("auc", "accuracy")),
    Set(name="mammography", cases=3, case=mammography, metrics=("auc", "average_precision")),
    Set(
        name="mammography, focal",
        cases=3,
        case=lambda index: mammography(index, "focal"),
        metrics=("auc", "average_precision"),
    ),
    Set(name="ml-emotions", cases=3, case=lambda i: multi_label("emotions", 6, i), metrics=("hamming", "f1_micro")),
    Set(name="ml-yeast", cases=3, case=lambda i: multi_label("yeast", 14, i), metrics=("hamming", "f1_micro")),
]
