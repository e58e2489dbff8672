"""Norms of nodes: over the units of one node, or of each unit over nodes.

    layer    all units of one node
    batch    each unit over all nodes of the batch             by its moving averages when predicting
    graph    each unit over the nodes of one graph, a learned share of the mean taken off
             Source: Cai et al. 2021, arXiv:2009.03294

Mean and variance are taken over what is named.
"""

from __future__ import annotations

from torch import nn
from typing_extensions import override

from evenkeel.errors import RequestError, ShapeError
from evenkeel.nets.blocks import UnitNorm, check_choice
from evenkeel.nets.graph_wiring import GraphWiring, graph_library
from evenkeel.shapes import Float, Tensor

NODE_NORMS = ("layer", "batch", "graph")
# After these every unit has a mean of its own that forgets a bias in front of them.
CENTRED = ("batch", "graph")


class NodeNorm(nn.Module):
    """A norm of (node, unit), or none.

    Shapes: hidden (node, unit) -> the same.

    Raises:
        RequestError: a norm that does not exist or does not fit.
        ShapeError: batch norm of a single node while training.
    """

    def __init__(self, kind: str | None, units: int) -> None:
        super().__init__()
        check_node_norm(kind)
        self.kind, self.norm = kind, None
        if kind == "graph":
            self.norm = graph_library().GraphNorm(units)
        elif kind is not None:
            self.norm = UnitNorm(kind, units)

    @override
    def forward(self, hidden: Float[Tensor, "node unit"], wiring: GraphWiring) -> Float[Tensor, "node unit"]:
        if self.norm is None:
            return hidden
        if self.kind == "graph":
            return self.norm(hidden, wiring.graph, wiring.graphs)
        if self.kind == "batch" and self.training and len(hidden) == 1:
            raise ShapeError(
                "batch norm needs more than one node to take a variance over while training; try norm='layer'"
            )
        return self.norm(hidden)


def check_node_norm(kind: str | None) -> None:
    """Refuse a norm that nodes cannot have."""
    if kind == "instance":
        raise RequestError(
            "instance norm needs an axis to normalise over, and a node's unit has none; "
            "try norm='graph', which takes the nodes of its graph"
        )
    check_choice("norm", kind, (*NODE_NORMS, None))
