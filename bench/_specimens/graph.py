"""Row 20: a graph net so deep that all nodes look alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench._specimens.loops import plain_loop
from bench._specimens.make import drawn, twins
from bench._specimens.setup import Batch, Case, SetUp
from bench._specimens.tables import data_folder
from evenkeel.setup import Setup

IGNORED = -100
CLASSES = 7


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Node features, the normalised adjacency, and the classes of each part (others: ignored)."""

    x: Tensor
    adjacency: Tensor
    train: Tensor
    held_out: Tensor


@cache
def cora() -> Graph:
    """Citations: 2708 papers, 1433 words, 7 classes; 140 to learn from, 1000 held out."""
    with np.load(data_folder() / "planetoid-cora" / "cora.npz") as file:
        nodes, words = int(file["num_nodes"]), int(file["num_features"])
        x = torch.zeros(nodes, words)
        x[file["x_row"].astype(int), file["x_col"].astype(int)] = torch.from_numpy(file["x_val"])
        y = torch.from_numpy(file["y"])
        parts = [_only(y, torch.from_numpy(file[f"idx_{part}"])) for part in ("train", "test")]
        edges = torch.from_numpy(file["edge_index"])
    return Graph(
        x=x / x.sum(1, keepdim=True).clamp(min=1),
        adjacency=_normalised(edges, nodes),
        train=parts[0],
        held_out=parts[1],
    )


def _only(y: Tensor, nodes: Tensor) -> Tensor:
    target = torch.full_like(y, IGNORED)
    target[nodes] = y[nodes]
    return target


def _normalised(edges: Tensor, nodes: int) -> Tensor:
    """D^-1/2 (A + I) D^-1/2, sparse."""
    loops = torch.arange(nodes).expand(2, -1)
    places = torch.cat([edges, loops], 1)
    degree = torch.bincount(places[0], minlength=nodes).float()
    weight = (degree[places[0]] * degree[places[1]]).rsqrt()
    return torch.sparse_coo_tensor(places, weight, (nodes, nodes), check_invariants=True).coalesce()


class Gcn(nn.Module):
    """Graph convolutions h -> relu(A h W); with skips, each hidden one is added to its input."""

    def __init__(self, layers: int, width: int, skip: Literal["none", "add"] = "none", dropout: float = 0.5) -> None:
        super().__init__()
        graph = cora()
        self.adjacency: Tensor
        self.register_buffer("adjacency", graph.adjacency, persistent=False)
        sizes = [graph.x.shape[1], *[width] * (layers - 1), CLASSES]
        linears = [nn.Linear(inner, outer) for inner, outer in pairwise(sizes)]
        for layer in linears:
            nn.init.xavier_uniform_(layer.weight)
        self.layers = nn.ModuleList(linears)
        self.dropout = nn.Dropout(dropout)
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        last = len(self.layers) - 1
        for place, layer in enumerate(self.layers):
            # Not on the words: most of a step would go into drawing zeros for 2708 x 1433 of them.
            mixed = torch.sparse.mm(self.adjacency, layer(self.dropout(x) if place else x))
            mixed = mixed if place == last else mixed.relu()
            x = x + mixed if self.skip == "add" and 0 < place < last else mixed
        return x


def node_loss(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy over the nodes whose class is given."""
    return functional.cross_entropy(output, target, ignore_index=IGNORED)


def node_accuracy(model: nn.Module, batch: Batch) -> float:
    """Share of the held-out nodes that are classified right."""
    mode = model.training
    model.eval()
    with torch.no_grad():
        found = model(batch[0]).argmax(-1)
    model.train(mode)
    chosen = batch[1] != IGNORED
    return float((found == batch[1])[chosen].float().mean())


def decayed(model: nn.Module) -> torch.optim.Optimizer:
    """Adam .01 with the usual weight decay of this data set."""
    return torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)


def on_cora(net: Callable[[], nn.Module]) -> Callable[[int], Case]:
    """The whole graph is the one batch."""

    def build(seed: int) -> Case:
        graph = cora()
        held_out = (graph.x, graph.held_out)
        commonest = graph.train[graph.train != IGNORED].mode().values
        return Case(
            setup=Setup(
                model=drawn(net, seed),
                loss=node_loss,
                make_optimizer=decayed,
                batches=[(graph.x, graph.train)],
                validation=[held_out],
                metric=lambda model: node_accuracy(model, held_out),
            ),
            trivial=float((graph.held_out == commonest).sum() / (graph.held_out != IGNORED).sum()),
        )

    return build


ROWS = [
    twins(
        20,
        "graph net of 16 layers without skips, cora",
        SetUp(name="20 sick", build=on_cora(lambda: Gcn(16, 64)), steps=200, loop=plain_loop),
        SetUp(name="20 fixed", build=on_cora(lambda: Gcn(2, 64)), steps=200, loop=plain_loop),
        symptoms="vanishing-gradient collapsed-output",
        causes="depth",
    )
]
