"""Images: the official training files of MNIST, measured on the official test files."""

from __future__ import annotations

import time
from pathlib import Path

import evenkeel as ek
from bench._nets._set import Figures, NetSet

TEST = "t10k-images-idx3-ubyte.gz"


def mnist(folder: Path, seed: int) -> Figures:
    """Fit the training images, whole but for the validation part; measure the test images."""
    started = time.perf_counter()
    run = ek.fit(folder / "mnist", seed=seed, test=0, progress=False)
    took = time.perf_counter() - started
    return {**run.evaluate(folder / "mnist" / TEST), "training_seconds": run.record.seconds, "seconds": took}


SETS = (
    NetSet(
        name="mnist",
        metric="accuracy",
        better="higher",
        floor=0.9688,
        floor_text="five nearest neighbours on the pixels",
        wanted=0.993,
        published="two convolutions .992 to .993, three convolutions or two and a dense layer .994, XGBoost .958",
        minutes=8,
        run=mnist,
        seeds=(0, 1, 2),
        protocol="60,000 training images, 15 % of them to choose the weights; 10,000 test images",
    ),
)
