"""Small sequences to learn: waves of two paces, and steps whose label is that of the step before."""

import numpy as np
import polars as pl

import evenkeel as ek

QUICK = {"updates": 20, "width": 8, "members": None}


def fit(data, **options):
    """A fit without a test part, which plain models would be measured on too."""
    return ek.fit(data, **{"test": 0, "progress": False, **options})


def waves(count: int = 60, *, equal: bool = True, channels: int = 2) -> tuple[list[np.ndarray], np.ndarray]:
    """Slow and fast waves with noise; the class is the pace."""
    generator = np.random.default_rng(0)
    classes = np.arange(count) % 2
    lengths = np.full(count, 12) if equal else generator.integers(8, 16, count)
    sequences = []
    for pace, length in zip(classes, lengths, strict=True):
        phase = generator.uniform(0, 6)
        wave = np.sin(phase + np.arange(length) * (0.4 + 0.9 * pace))
        sequences.append(wave[:, None] + generator.normal(0, 0.2, (length, channels)))
    return sequences, classes


def long_table(sequences, answers) -> pl.DataFrame:
    lengths = [len(each) for each in sequences]
    values = np.concatenate(sequences)
    return pl.DataFrame(
        {
            "id": np.repeat([f"s{index}" for index in range(len(sequences))], lengths),
            "t": np.concatenate([np.arange(length) for length in lengths]),
            **{f"x{channel}": values[:, channel] for channel in range(values.shape[1])},
            "y": np.repeat(np.array(["slow", "fast"])[answers], lengths),
        }
    )


def stepwise(count: int = 30) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A step's label is the sign of the value before it."""
    generator = np.random.default_rng(1)
    sequences = [generator.normal(size=(int(length), 1)) for length in generator.integers(6, 14, count)]
    return sequences, [np.concatenate([[0], (each[:-1, 0] > 0).astype(int)]) for each in sequences]
