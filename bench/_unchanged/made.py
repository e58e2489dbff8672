"""Small generated data with a known answer: a table, images, sequences, a series, texts, graphs, and pairs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import torch

ROWS = 60
LABEL = np.arange(ROWS) % 2
LINES = "the cat sat on the mat, and the dog sat on the log.\nwho saw them, and why?\nnobody did.\n" * 35
Texts = list[str]


def table(rows: int = 240, seed: int = 0) -> pl.DataFrame:
    """`signal` and `town` decide every target; `signal` has gaps, `block` groups the rows."""
    generator = np.random.default_rng(seed)
    signal, noise = generator.normal(size=(2, rows))
    town = generator.choice(["bern", "basel", "chur"], size=rows)
    return pl.DataFrame(
        {
            "signal": [None if index % 17 == 3 else float(value) for index, value in enumerate(signal)],
            "noise": noise,
            "town": town,
            "block": np.arange(rows) % 20,
            "height": 20 + 5 * signal + 3 * (town == "chur") + 0.5 * generator.normal(size=rows),
            "count": generator.poisson(np.exp(1 + 0.8 * signal)),
            "class": np.where(town == "bern", "low", np.where(signal > 0, "high", "middle")),
            "wet": (signal > 0.5).astype(int),
            "cold": (town == "chur").astype(int),
        }
    )


def images() -> np.ndarray:
    """(row, height, width) of bytes: noise, and a diagonal in every second one."""
    noise = np.random.default_rng(1).uniform(0, 90, (ROWS, 8, 8))
    return (noise + 150 * (LABEL[:, None, None] * np.eye(8))).astype(np.uint8)


def waves() -> list[np.ndarray]:
    """Sequences (step, channel) of 5 to 12 steps, higher in every second one."""
    generator = np.random.default_rng(2)
    return [generator.normal(size=(5 + row % 8, 2)).astype(np.float32) + LABEL[row] for row in range(ROWS)]


def load() -> pl.DataFrame:
    """A wave and a saw tooth over 300 hours."""
    hours = np.arange(300)
    return pl.DataFrame({"hour": hours, "load": np.sin(hours / 4) + 5, "heat": hours % 7.0})


def films() -> tuple[Texts, Texts]:
    """Reviews whose class is told by one word, or by `not` before it."""
    generator = np.random.default_rng(3)
    texts, answers = [], []
    for _ in range(ROWS):
        liked, no = generator.integers(2, size=2)
        word = generator.choice([["awful", "dull"], ["fine", "moving"]][liked])
        texts.append(f"I saw film number {generator.integers(999)} and it was {'not ' if no else ''}{word} overall")
        answers.append("good" if liked != no else "bad")
    return texts, answers


def text_pairs() -> pl.DataFrame:
    """Pairs of texts; the score is the share of words that they have in common, with some noise."""
    generator = np.random.default_rng(4)
    words = np.array([f"word{number}" for number in range(16)])
    rows = []
    for _ in range(ROWS):
        left = generator.permutation(16)[:6]
        right = np.where(generator.random(6) < generator.random(), left, generator.permutation(16)[:6])
        score = len(set(left) & set(right)) / 6 + 0.01 * generator.normal()
        rows.append((" ".join(words[left]), " ".join(words[right]), score))
    return pl.DataFrame(rows, schema=["one", "two", "score"], orient="row")


def rings() -> tuple[list[tuple[np.ndarray, np.ndarray]], list[int]]:
    """Graphs of 4 to 8 nodes, (features, edges) of each, and whether the path that it is closes to a ring."""
    generator = np.random.default_rng(5)
    graphs, answers = [], []
    for _ in range(ROWS):
        size, ring = int(generator.integers(4, 9)), int(generator.integers(2))
        ends = [(i, i + 1) for i in range(size - 1)] + ([(size - 1, 0)] if ring else [])
        tags = (generator.random(size) < 0.3).astype(int)
        graphs.append((np.stack([tags, np.ones(size)], 1), np.array([*ends, *[(b, a) for a, b in ends]]).T))
        answers.append(ring)
    return graphs, answers


def communities(nodes: int = 90) -> SimpleNamespace:
    """One graph of two groups that mostly know their own, as torch_geometric's `Data` looks from outside."""
    generator = np.random.default_rng(6)
    y = np.arange(nodes) % 2
    near = np.where(y[:, None] == y, 0.15, 0.01)
    first, second = np.nonzero(np.triu(generator.random((nodes, nodes)) < near, 1))
    x = generator.normal(size=(nodes, 6)).astype(np.float32) + 0.4 * y[:, None].astype(np.float32)
    arrays = {"edge_index": np.stack([first, second]), "x": x, "y": y}
    return SimpleNamespace(**{name: torch.from_numpy(value) for name, value in arrays.items()}, num_nodes=nodes)


def sides() -> tuple[np.ndarray, np.ndarray]:
    """Two arrays whose rows belong together."""
    left = np.random.default_rng(7).normal(size=(ROWS, 4)).astype(np.float32)
    return left, left[:, :3] ** 2


def numbers(classes: int = 3, rows: int = 256, size: int = 32) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of eight numbers; the class is which of the first few is the largest."""
    x = torch.randn(rows, 8, generator=torch.Generator().manual_seed(0))
    y = x[:, :classes].argmax(1)
    return [(x[i : i + size], y[i : i + size]) for i in range(0, rows, size)]


def sums(scale: float = 1.0, rows: int = 256, size: int = 32) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of four numbers, and `scale` times a sum of two of them with noise."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 4, generator=generator)
    y = scale * (x[:, :1] - 0.5 * x[:, 1:2] + 0.1 * torch.randn(rows, 1, generator=generator))
    return [(x[i : i + size], y[i : i + size]) for i in range(0, rows, size)]
