"""Sequences: each with the training and test files that the published results were made on."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

import evenkeel as ek
from bench._nets._set import Figures, NetSet

KEYS = 88  # of the piano
MNIST_ROWS, MNIST_SECONDS = 10_000, 600.0  # training images, and how long the network may train on them


def archive(name: str, folder: Path, seed: int) -> Figures:
    """Fit the whole training file, too small to spare a validation part; measure the test file."""
    place = folder / f"ts-{name}"
    run = ek.fit(place / f"{name}_TRAIN.ts", seed=seed, validation=0, test=0, progress=False)
    return run.evaluate(place / f"{name}_TEST.ts")


def pendigits(folder: Path, seed: int) -> Figures:
    """Eight points of a pen, x and y; the given files."""
    parts = [np.loadtxt(folder / "pendigits" / f"pendigits.{part}", delimiter=",") for part in ("tra", "tes")]
    train, test = ((part[:, :-1].reshape(-1, 8, 2), part[:, -1].astype(int)) for part in parts)
    return ek.fit(train, seed=seed, test=0, progress=False).evaluate(test)


def chorales(folder: Path, seed: int) -> Figures:
    """The keys of the next step from those before; nll is summed over keys and averaged over all predicted steps."""
    from scipy.io import loadmat

    file = loadmat(folder / "music-JSB_Chorales" / "JSB_Chorales.mat")
    parts = {"train": "traindata", "validation": "validdata", "test": "testdata"}
    pieces = {part: [np.asarray(piece, dtype=np.float32) for piece in file[name][0]] for part, name in parts.items()}
    words = [part for part, found in pieces.items() for _ in found]
    everything = [piece for found in pieces.values() for piece in found]
    data = ([piece[:-1] for piece in everything], [piece[1:] for piece in everything])
    run = ek.fit(data, task="multi-label", split=words, seed=seed, progress=False)
    return {**run.metrics, "nll": KEYS * run.metrics["log_loss"]}


def idx(path: Path) -> np.ndarray:
    """An array of bytes in the format of the MNIST files."""
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, ">i4", content[3], 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def pixels(folder: Path, seed: int) -> Figures:
    """MNIST, one pixel a step: 784 steps of one channel."""
    place = folder / "mnist"
    train, test = (
        (
            idx(next(place.glob(f"{part}-images*"))).reshape(-1, 784, 1).astype(np.float32),
            idx(next(place.glob(f"{part}-labels*"))),
        )
        for part in ("train", "t10k")
    )
    few = tuple(part[:MNIST_ROWS] for part in train)
    run = ek.fit(few, seed=seed, test=0, time_limit=MNIST_SECONDS, progress=False)
    return {**run.evaluate(test), "updates": float(run.history[-1].update)}


SETS: tuple[NetSet, ...] = (
    NetSet(
        name="ts-JapaneseVowels",
        metric="accuracy",
        better="higher",
        floor=0.944,
        floor_text="MCDCNN, the weakest published net",
        wanted=0.985,
        published="ResNet .992, FCN .993, MLP .976",
        minutes=1.0,
        run=lambda folder, seed: archive("JapaneseVowels", folder, seed),
        protocol="given files, 270 / 370 sequences of 7 to 29 steps, 12 channels",
    ),
    NetSet(
        name="ts-ItalyPowerDemand",
        metric="accuracy",
        better="higher",
        floor=0.9553,
        floor_text="nearest neighbour",
        wanted=0.96,
        published="ResNet .963, FCN .961, MLP .954",
        minutes=0.3,
        run=lambda folder, seed: archive("ItalyPowerDemand", folder, seed),
        protocol="given files, 67 / 1029 sequences of 24 steps",
    ),
    NetSet(
        name="ts-GunPoint",
        metric="accuracy",
        better="higher",
        floor=0.9133,
        floor_text="nearest neighbour",
        wanted=0.98,
        published="ResNet .991, FCN 1.000, MLP .927",
        minutes=0.5,
        run=lambda folder, seed: archive("GunPoint", folder, seed),
        protocol="given files, 50 / 150 sequences of 150 steps",
    ),
    NetSet(
        name="pendigits",
        metric="accuracy",
        better="higher",
        floor=0.9774,
        floor_text="nearest neighbour",
        wanted=0.98,
        published="nearest neighbour .9774, of three .9780",
        minutes=1.0,
        run=pendigits,
        protocol="given files, 7494 / 3498 digits of 8 points; other writers in the test file",
    ),
    NetSet(
        name="music-JSB_Chorales",
        metric="nll",
        better="lower",
        floor=10.49,
        floor_text="Markov chain of each key",
        wanted=8.45,
        published="RNN 8.91, LSTM 8.45, GRU 8.43, TCN 8.10",
        minutes=3.0,
        run=chorales,
        protocol="given parts, 229 / 76 / 77 pieces; next of 88 keys, nll summed over keys, mean over steps",
    ),
    NetSet(
        name="sequential MNIST, 10 000 images",
        metric="accuracy",
        better="higher",
        floor=0.215,
        floor_text="plain RNN, published, all 60 000 images",
        wanted=None,
        published="all 60 000 images: LSTM .872, GRU .962, TCN .990",
        minutes=12.0,
        run=pixels,
        protocol=f"the first {MNIST_ROWS} training images, all test images, {MNIST_SECONDS:g} s of training",
    ),
)
