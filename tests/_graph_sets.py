"""Small graphs with a known answer: rings against paths, and two groups of people who mostly know each other."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import torch


def ring_or_path(size, ring):
    """Edges both ways."""
    pairs = [(i, i + 1) for i in range(size - 1)] + ([(size - 1, 0)] if ring else [])
    return np.array([*pairs, *[(b, a) for a, b in pairs]]).T


def some_rings(count=60, seed=0):
    """(tags, edges, answer) of each graph; the tag `1` is about a third of the nodes and tells nothing."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        size, ring = int(generator.integers(4, 9)), int(generator.integers(2))
        found.append(((generator.random(size) < 0.3).astype(int), ring_or_path(size, ring), 2 * ring))
    return found


def write_listing(path, graphs):
    """The same as text."""
    lines = [str(len(graphs))]
    for tags, edges, answer in graphs:
        lines.append(f"{len(tags)} {answer}")
        for node, tag in enumerate(tags):
            near = edges[1][edges[0] == node].tolist()
            lines.append(" ".join(map(str, [tag, len(near), *near])))
    path.write_text("\n".join([*lines, ""]))
    return path


def communities(nodes=90, seed=0, channels=6):
    """Arrays of one graph, each edge one way: who knows whom says more of `y` than `x` does."""
    generator = np.random.default_rng(seed)
    y = np.arange(nodes) % 2
    near = np.where(y[:, None] == y, 0.15, 0.01)
    first, second = np.nonzero(np.triu(generator.random((nodes, nodes)) < near, 1))
    x = generator.normal(size=(nodes, channels)).astype(np.float32) + 0.4 * y[:, None].astype(np.float32)
    return {"edge_index": np.stack([first, second]), "x": x, "y": y}


def as_data(arrays, **more):
    """What torch_geometric's `Data` looks like from outside."""
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return SimpleNamespace(**tensors, num_nodes=len(arrays["x"]), **more)


def as_tables(arrays):
    """Two tables with names for ids; every tenth answer is missing, a column has gaps, another holds words."""
    ids = [f"p{number}" for number in range(len(arrays["y"]))]
    y = [None if row % 10 == 0 else "left" if answer else "right" for row, answer in enumerate(arrays["y"])]
    nodes = {"id": ids, "answer": y, "town": ["bern" if row % 3 else "chur" for row in range(len(ids))]}
    nodes |= {f"x{i}": [None if row == i else float(v) for row, v in enumerate(arrays["x"][:, i])] for i in range(3)}
    ends = {name: [ids[i] for i in row] for name, row in zip(("source", "target"), arrays["edge_index"], strict=True)}
    return {"edges": pl.DataFrame(ends), "nodes": pl.DataFrame(nodes)}
