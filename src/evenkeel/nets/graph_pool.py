"""One vector of each graph out of its nodes, in whatever order they stand.

    mean, sum, max    of each unit over the nodes
    attention         sum_i a_i h_i,   a = softmax over the nodes of q · h_i,   q = 0 at first: the plain mean

Source: Xu et al. 2019, arXiv:1810.00826 (a sum tells how many); Li et al. 2016, arXiv:1511.05493 (attention)
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from typing_extensions import override

from evenkeel.nets.blocks import check_choice
from evenkeel.nets.graph_wiring import GraphWiring
from evenkeel.shapes import Float, Int, Tensor

GraphPooling = Literal["mean", "sum", "max", "attention"] | None
POOLINGS = ("mean", "sum", "max", "attention", None)


class GraphPool(nn.Module):
    """Nodes to graphs; a graph without nodes has zeros. With `None` every node keeps its own.

    Shapes: hidden (node, unit) -> (graph, unit), or (node, unit) with None.

    Example:
        >>> graph = torch.tensor([0, 0, 1])
        >>> wiring = GraphWiring(edges=torch.empty(2, 0, dtype=torch.int64), weight=None, graph=graph, graphs=2)
        >>> GraphPool("mean", 1)(torch.tensor([[1.0], [3.0], [5.0]]), wiring).tolist()
        [[2.0], [5.0]]
    """

    def __init__(self, pooling: GraphPooling, units: int) -> None:
        super().__init__()
        check_choice("pooling", pooling, POOLINGS)
        self.pooling = pooling
        self.query = nn.Parameter(torch.zeros(units)) if pooling == "attention" else None

    @override
    def forward(self, hidden: Float[Tensor, "node unit"], wiring: GraphWiring) -> Float[Tensor, "row unit"]:
        if self.pooling is None:
            return hidden
        graph = wiring.graph
        if graph is None:
            graph = torch.zeros(len(hidden), dtype=torch.int64, device=hidden.device)
        if self.pooling == "max":
            return _greatest(hidden, graph, wiring.graphs)
        if self.query is not None:
            return _total(hidden * _shares(hidden @ self.query, graph, wiring.graphs), graph, wiring.graphs)
        total = _total(hidden, graph, wiring.graphs)
        if self.pooling == "sum":
            return total
        return total / _total(torch.ones_like(hidden[:, :1]), graph, wiring.graphs).clamp(min=1)

    @override
    def extra_repr(self) -> str:
        return repr(self.pooling)


def _total(rows: Float[Tensor, "node unit"], graph: Int[Tensor, " node"], graphs: int) -> Float[Tensor, "graph unit"]:
    return rows.new_zeros(graphs, rows.shape[1]).index_add(0, graph, rows)


def _greatest(
    rows: Float[Tensor, "node unit"], graph: Int[Tensor, " node"], graphs: int
) -> Float[Tensor, "graph unit"]:
    empty = rows.new_zeros(graphs, rows.shape[1])
    return empty.scatter_reduce(0, graph.unsqueeze(1).expand_as(rows), rows, "amax", include_self=False)


def _shares(score: Float[Tensor, " node"], graph: Int[Tensor, " node"], graphs: int) -> Float[Tensor, "node 1"]:
    """Softmax over the nodes of each graph, one column."""
    column = score.unsqueeze(1)  # (node,) -> (node, 1)
    greatest = _greatest(column.detach(), graph, graphs)
    raised = (column - greatest[graph]).exp()
    return raised / _total(raised, graph, graphs)[graph]
