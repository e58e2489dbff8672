"""Tables: features and target, split once, scaled by the training part or left raw; batches shuffled by a seed.

scikit-learn's own sets and the synthetic ones need nothing; the others lie in the folder that EVENKEEL_DATA names.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import torch
from sklearn import datasets
from sklearn.model_selection import train_test_split
from torch import Tensor

from bench._specimens.setup import Batch
from evenkeel.errors import DataError

Kind = Literal["classes", "labels", "value"]
HELD_OUT = 0.25


def data_folder() -> Path:
    """Where the real data sets lie."""
    name = os.environ.get("EVENKEEL_DATA", "")
    if not name or not Path(name).is_dir():
        raise DataError("this specimen needs real data sets: set EVENKEEL_DATA to their folder")
    return Path(name)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Features (row, column) and target of the training and the held-out part.

    `center` and `spread` bring a scaled target back to its units. Target: class numbers (row), labels (row, label) or
    values (row, 1).
    """

    kind: Kind
    train: Batch
    held_out: Batch
    outputs: int
    center: float = 0.0
    spread: float = 1.0

    @property
    def columns(self) -> int:
        """How many features there are."""
        return self.train[0].shape[1]


def split(kind: Kind, features: Any, target: Any) -> Table:
    """Hold a quarter out (stratified by class), the same rows for every seed."""
    strata = target if kind == "classes" else None
    parts = train_test_split(features, target, test_size=HELD_OUT, random_state=0, stratify=strata)
    x, x_held, y, y_held = (np.asarray(part) for part in parts)
    outputs = int(target.max()) + 1 if kind == "classes" else (target.shape[1] if target.ndim > 1 else 1)
    return Table(
        kind=kind,
        train=(_float(x), _target(kind, y)),
        held_out=(_float(x_held), _target(kind, y_held)),
        outputs=outputs,
    )


def _float(values: np.ndarray) -> Tensor:
    return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float32)


def _target(kind: Kind, values: np.ndarray) -> Tensor:
    if kind == "classes":
        return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.int64)
    found = _float(values)
    return found if found.ndim > 1 else found[:, None]


def standardise(table: Table) -> Table:
    """Features with mean 0 and deviation 1 in the training part; a constant column stays 0."""
    mean, deviation = table.train[0].mean(0), table.train[0].std(0)
    deviation = torch.where(deviation > 0, deviation, torch.ones_like(deviation))
    parts = [((x - mean) / deviation, y) for x, y in (table.train, table.held_out)]
    return replace(table, train=parts[0], held_out=parts[1])


def standardise_target(table: Table) -> Table:
    """The target too; scores are in its own units all the same."""
    center, spread = float(table.train[1].mean()), float(table.train[1].std())
    parts = [(x, (y - center) / spread) for x, y in (table.train, table.held_out)]
    return replace(table, train=parts[0], held_out=parts[1], center=center, spread=spread)


def batches(parts: Batch, size: int, seed: int) -> list[Batch]:
    """One epoch in an order drawn from the seed; an incomplete last batch is left out unless it is the only one."""
    count = len(parts[1])
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    chunks = order.split(size)
    chunks = chunks[:-1] if len(chunks) > 1 and len(chunks[-1]) < size else chunks
    return [(parts[0][rows], parts[1][rows]) for rows in chunks]


def whole(parts: Batch, size: int = 256) -> list[Batch]:
    """All rows in their order."""
    return list(zip(parts[0].split(size), parts[1].split(size), strict=True))


def digits() -> Table:
    """1797 images of 8 x 8, pixels in [0, 1]."""
    x, y = datasets.load_digits(return_X_y=True)
    return split("classes", np.asarray(x) / 16, np.asarray(y))


def wine() -> Table:
    """178 wines, 13 measurements, 3 classes."""
    return split("classes", *datasets.load_wine(return_X_y=True))


def breast_cancer() -> Table:
    """569 cells, 30 measurements, 2 classes."""
    return split("classes", *datasets.load_breast_cancer(return_X_y=True))


def diabetes() -> Table:
    """442 patients, 10 measurements, progression."""
    return split("value", *datasets.load_diabetes(return_X_y=True))


def moons() -> Table:
    """Two interleaved half-circles, 1000 points; one output for a binary cross-entropy."""
    x, y = datasets.make_moons(1000, noise=0.15, random_state=0)
    return split("labels", x, y)


def blobs() -> Table:
    """Three clouds of points in the plane."""
    x, y = datasets.make_blobs(1200, centers=3, cluster_std=1.2, random_state=3)[:2]
    return split("classes", x, y)


def mnist() -> Table:
    """The first 10 000 training images and the first 2000 test images, 784 pixels in [0, 1]."""
    train, held_out = (
        (
            _float(_idx(f"{part}-images-idx3", rows, 16, 784)) / 255,
            _target("classes", _idx(f"{part}-labels-idx1", rows, 8, 1)[:, 0]),
        )
        for part, rows in (("train", 10_000), ("t10k", 2000))
    )
    return Table(kind="classes", train=train, held_out=held_out, outputs=10)


def _idx(name: str, rows: int, header: int, columns: int) -> np.ndarray:
    with gzip.open(data_folder() / "mnist" / f"{name}-ubyte.gz") as file:
        read = file.read(header + rows * columns)
    return np.frombuffer(read, np.uint8, offset=header).reshape(rows, columns).copy()


def uci(name: str) -> Table:
    """A UCI regression set: the last column is the target."""
    folder = data_folder() / f"uci-{name}"
    values = np.loadtxt(folder / "data.txt")
    columns = np.loadtxt(folder / "index_features.txt").astype(int)
    return split("value", values[:, columns], values[:, int(np.loadtxt(folder / "index_target.txt"))])


def penguins() -> Table:
    """Four measurements, three species; rows with missing values are left out."""
    frame = pl.read_csv(data_folder() / "penguins" / "penguins.csv", null_values=["", "NA"])
    measured = [name for name in frame.columns if name.endswith(("_mm", "_g"))]
    frame = frame.drop_nulls(measured)
    species = frame["species"].to_numpy()
    return split("classes", frame.select(measured).to_numpy(), np.unique(species, return_inverse=True)[1])


def titanic() -> Table:
    """Nine columns: class, sex, age (median where missing), family, fare, and the three ports."""
    frame = pl.read_csv(data_folder() / "titanic" / "titanic.csv")
    port = [(pl.col("embarked") == name).fill_null(False).cast(pl.Float64).alias(name) for name in "CQS"]
    frame = frame.select(
        "survived",
        pl.col("pclass"),
        (pl.col("sex") == "female").cast(pl.Float64),
        pl.col("age").cast(pl.Float64).fill_null(pl.col("age").cast(pl.Float64).median()),
        *("sibsp", "parch", "fare"),
        *port,
    )
    return split("labels", frame.drop("survived").to_numpy(), frame["survived"].to_numpy())


def emotions() -> Table:
    """593 pieces of music, 72 features, 6 labels; the official parts."""
    parts = [_arff(data_folder() / "ml-emotions" / f"emotions-{part}.arff") for part in ("train", "test")]
    train, held_out = ((_float(values[:, :72]), _float(values[:, 72:])) for values in parts)
    return Table(kind="labels", train=train, held_out=held_out, outputs=6)


def _arff(path: Path) -> np.ndarray:
    lines = path.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.lower().startswith("@data"))
    return np.array([[float(cell) for cell in line.split(",")] for line in lines[start + 1 :] if line.strip()])


TABLES: dict[str, Callable[[], Table]] = {
    "digits": digits,
    "wine": wine,
    "breast-cancer": breast_cancer,
    "diabetes": diabetes,
    "moons": moons,
    "blobs": blobs,
    "penguins": penguins,
    "titanic": titanic,
    "emotions": emotions,
    "mnist": mnist,
    **{
        name: lambda name=name: uci(name)
        for name in ("bostonHousing", "concrete", "energy", "power-plant", "wine-quality-red")
    },
}


IMAGES = ("digits", "mnist")


@cache
def raw(name: str) -> Table:
    """A table in its own units (pixels: in [0, 1])."""
    return TABLES[name]()


@cache
def scaled(name: str, scaling: Literal["raw target", "standardised", "stretched"] = "standardised") -> Table:
    """Standardised features (pixels: as they are); the target of a regression too, unless "raw target".

    "stretched": the features times 100 after all, as if in a smaller unit.
    """
    table = raw(name) if name in IMAGES else standardise(raw(name))
    if scaling == "stretched":
        table = replace(
            table, train=(100 * table.train[0], table.train[1]), held_out=(100 * table.held_out[0], table.held_out[1])
        )
    return standardise_target(table) if table.kind == "value" and scaling != "raw target" else table
