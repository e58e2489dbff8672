"""Plain models beside a graph net: linear on the features of nodes, raw and smoothed, and on sums over graphs.

smoothed    S S X,   S = (A + 1) scaled by 1 / sqrt(d_i d_j)      Source: Wu et al. 2019, arXiv:1902.07153
histogram   the sum of each number over the nodes of a graph, and how many nodes and edges it has
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import Edges, Joined, all_rows
from evenkeel.heads import HeadPart
from evenkeel.kinds.base import Rival
from evenkeel.kinds.baselines import Matrix, linear_model, rival
from evenkeel.kinds.graph.schema import GraphSchema, Level
from evenkeel.shapes import Tensor


def _rival(level: Level, matrix: Matrix) -> Rival:
    """A linear model where examples are of that level, else none.

    Where more nodes validate than train, as in the usual splits of citation graphs, it too learns from the latter
    alone: with all answers it would be another task.
    """

    def model(part: HeadPart, data: Dataset, seed: int) -> Any:
        schema = data.schema
        return linear_model(part, data, seed) if isinstance(schema, GraphSchema) and schema.level == level else None

    plain = rival(model, matrix)

    def predictions(part: HeadPart, data: Dataset, known: Tensor, asked: Tensor, seed: int) -> np.ndarray | None:
        train = torch.from_numpy(data.split.train)
        return plain(part, data, train if 2 * len(train) < len(known) else known, asked, seed)

    return predictions


def node_matrix(data: Dataset) -> Any:
    """Features of all nodes as a sparse matrix of scipy."""
    from scipy import sparse

    inputs = data.inputs
    if "nodes" in inputs:
        return sparse.csr_matrix(all_rows(inputs["nodes"]).numpy())
    starts, columns, values = (all_rows(inputs[name]).numpy() for name in ("starts", "columns", "values"))
    channels = data.schema.nodes.channels if isinstance(data.schema, GraphSchema) else None
    return sparse.csr_matrix((values, columns, starts), shape=(len(starts) - 1, channels))


def raw(data: Dataset, rows: Tensor) -> Any:
    """(row, channel), each node by itself."""
    return node_matrix(data)[all_rows(data.inputs["rows"])[rows].numpy()]


def smoothed(data: Dataset, rows: Tensor) -> Any:
    """(row, channel), each node with those up to two edges away."""
    from scipy import sparse

    nodes = node_matrix(data)
    source, target = all_rows(data.inputs["edges"]).numpy()
    count = nodes.shape[0]
    hears = sparse.csr_matrix((np.ones(len(source), np.float32), (target, source)), shape=(count, count))
    hears = hears + sparse.identity(count, "float32", "csr")
    scale = sparse.diags(np.asarray(hears.sum(1)).ravel() ** -0.5)
    shares = scale @ hears @ scale
    return (shares @ (shares @ nodes)).tocsr()[all_rows(data.inputs["rows"])[rows].numpy()]


def histogram(data: Dataset, rows: Tensor) -> np.ndarray:
    """(row, channel + 2), each column with mean 0 and variance 1 over the graphs that train."""
    nodes, edges = data.inputs["nodes"], data.inputs["edges"]
    if not isinstance(nodes, Joined) or not isinstance(edges, Edges):
        raise TypeError("a histogram is of whole graphs")
    counts = nodes.starts.diff()
    owner = torch.arange(len(counts)).repeat_interleave(counts)
    sums = nodes.values.new_zeros(len(counts), nodes.values.shape[1]).index_add(0, owner, nodes.values)
    found = torch.cat((sums, counts.unsqueeze(1), edges.starts.diff().unsqueeze(1)), dim=1).double()
    known = found[torch.from_numpy(data.split.train)]
    spread = known.std(0, correction=0)
    return ((found[rows] - known.mean(0)) / torch.where(spread > 0, spread, 1.0)).numpy()


RIVALS: dict[str, Rival] = {
    "linear": _rival("node", raw),
    "linear on smoothed features": _rival("node", smoothed),
    "linear on histograms": _rival("graph", histogram),
}
