"""Baselines of graphs: linear models on the features of nodes, raw and smoothed, and on sums over graphs.

smoothed    S S X,   S = (A + 1) scaled by 1 / sqrt(d_i d_j)      Source: Wu et al. 2019, arXiv:1902.07153
histogram   the sum of each number over the nodes of a graph, and how many nodes and edges it has
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import Edges, Joined, all_rows, in_form
from evenkeel.heads import HeadPart
from evenkeel.kinds.base import Baseline
from evenkeel.kinds.baselines import Matrix, baseline, linear_model
from evenkeel.kinds.graph.schema import GraphSchema, Level
from evenkeel.shapes import Tensor


def _linear(level: Level, matrix: Matrix[GraphSchema]) -> Baseline[GraphSchema]:
    """Make the baseline of one level: a linear model for examples of that level, else none.

    Where more nodes validate than train, as in the usual splits of citation graphs, the baseline learns from
    the latter alone too: with all answers it would be another task.
    """

    def model(part: HeadPart, data: Dataset[GraphSchema], seed: int) -> Any:
        return linear_model(part, data, seed) if data.schema.level == level else None

    plain = baseline(model, matrix)

    def predictions(
        part: HeadPart, data: Dataset[GraphSchema], known: Tensor, rows: Tensor, seed: int
    ) -> np.ndarray | None:
        train = torch.from_numpy(data.split.train)
        return plain(part, data, train if 2 * len(train) < len(known) else known, rows, seed)

    return predictions


def node_matrix(data: Dataset[GraphSchema]) -> Any:
    """Convert the features of all nodes to a sparse matrix of scipy."""
    from scipy import sparse

    inputs = data.inputs
    if "nodes" in inputs:
        return sparse.csr_matrix(all_rows(inputs["nodes"]).numpy())
    starts, columns, values = (all_rows(inputs[name]).numpy() for name in ("starts", "columns", "values"))
    return sparse.csr_matrix((values, columns, starts), shape=(len(starts) - 1, data.schema.nodes.channels))


def raw(data: Dataset[GraphSchema], rows: Tensor) -> Any:
    """Return (row, channel), each node by itself."""
    return node_matrix(data)[all_rows(data.inputs["rows"])[rows].numpy()]


def smoothed(data: Dataset[GraphSchema], rows: Tensor) -> Any:
    """Compute (row, channel), each node averaged with those up to two edges away."""
    from scipy import sparse

    nodes = node_matrix(data)
    source, target = all_rows(data.inputs["edges"]).numpy()
    count = nodes.shape[0]
    hears = sparse.csr_matrix((np.ones(len(source), np.float32), (target, source)), shape=(count, count))
    hears = hears + sparse.identity(count, "float32", "csr")
    scale = sparse.diags(np.asarray(hears.sum(1)).ravel() ** -0.5)
    shares = scale @ hears @ scale
    return (shares @ (shares @ nodes)).tocsr()[all_rows(data.inputs["rows"])[rows].numpy()]


def histogram(data: Dataset[GraphSchema], rows: Tensor) -> np.ndarray:
    """Compute (row, channel + 2), each column with mean 0 and variance 1 over the graphs that train."""
    nodes, edges = in_form(data.inputs["nodes"], Joined), in_form(data.inputs["edges"], Edges)
    counts = nodes.starts.diff()
    owner = torch.arange(len(counts)).repeat_interleave(counts)
    sums = nodes.values.new_zeros(len(counts), nodes.values.shape[1]).index_add(0, owner, nodes.values)
    totals = torch.cat((sums, counts.unsqueeze(1), edges.starts.diff().unsqueeze(1)), dim=1).double()
    known = totals[torch.from_numpy(data.split.train)]
    spread = known.std(0, correction=0)
    return ((totals[rows] - known.mean(0)) / torch.where(spread > 0, spread, 1.0)).numpy()


BASELINES: dict[str, Baseline[GraphSchema]] = {
    "linear": _linear("node", raw),
    "linear on smoothed features": _linear("node", smoothed),
    "linear on histograms": _linear("graph", histogram),
}
