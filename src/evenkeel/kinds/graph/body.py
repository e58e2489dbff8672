"""What reads graphs: a GNN of ours, or a net of the user's own on nodes, edges and whose nodes they are.

Where nodes are mostly zeros they come as places and values, and dropout is drawn for these alone: what it makes of a
zero is a zero, so the distribution is that of dropout on all, at a tenth of its cost.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.errors import RequestError
from evenkeel.kinds.base import Build
from evenkeel.kinds.body import build_net, features_of
from evenkeel.kinds.graph.schema import GraphSchema
from evenkeel.nets.base import Body, members_of
from evenkeel.nets.gnn import GNN
from evenkeel.shapes import Float, Int, Tensor


class GraphBody(nn.Module):
    """Fields of a batch to features: of graphs, or of the nodes that are asked about.

    Args:
        net: nodes, edges and, for graphs, graph (node,) to features.
        channels: numbers of each node.
        dropout: share of the values of sparse nodes silenced while training.

    Shapes:
        edges (2, edge) and nodes (node, channel), or starts (node + 1,), columns and values (entry,); with graph
        (node,) -> (graph, unit), with rows (row,) -> (row, unit).
    """

    def __init__(self, net: nn.Module, channels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.net, self.channels, self.dropout = net, channels, dropout

    @override
    def forward(
        self,
        edges: Int[Tensor, "2 edge"],
        nodes: Float[Tensor, "node channel"] | None = None,
        graph: Int[Tensor, "node"] | None = None,
        rows: Int[Tensor, "row"] | None = None,
        starts: Int[Tensor, "end"] | None = None,
        columns: Int[Tensor, "entry"] | None = None,
        values: Float[Tensor, "entry"] | None = None,
    ) -> Float[Tensor, "example unit"]:
        if nodes is None:
            if starts is None or columns is None or values is None:
                raise TypeError("nodes come whole, or as starts, columns and values")
            values = functional.dropout(values, self.dropout, self.training)
            nodes = _dense(starts, columns, values, self.channels)
        found = self.net(nodes, edges) if graph is None else self.net(nodes, edges, graph)
        return found if rows is None else found[rows]

    def count_examples(self, inputs: Mapping[str, Tensor]) -> int:
        """How many graphs, or nodes that are asked about, a batch holds."""
        if "rows" in inputs:
            return len(inputs["rows"])
        return int(inputs["graph"][-1]) + 1 if len(inputs["graph"]) else 0  # the nodes lie graph by graph


def _dense(starts: Tensor, columns: Tensor, values: Tensor, channels: int) -> Float[Tensor, "node channel"]:
    """Places and values as the matrix they stand for."""
    count = len(starts) - 1
    nodes = torch.arange(count, device=starts.device).repeat_interleave(starts.diff(), output_size=len(columns))
    found = values.new_zeros(count, channels)
    found[nodes, columns] = values
    return found


def graph_body(build: Build[GraphSchema]) -> Body:
    """Our net by the plan, or the user's own.

    Raises:
        RequestError: the net cannot read graphs, or gives features of something else than was asked for.
    """
    schema = build.schema
    channels = schema.nodes.channels
    sparse = schema.level == "node" and schema.nodes.form == "sparse" and build.given is None
    body = GraphBody(nn.Identity(), channels)
    if sparse:
        told = build.plan.net_options.get("input_dropout")
        body.dropout = build.plan.dropout if told is None else float(told)
        body.net = build_net(build, "graph", channels=channels, input_dropout=0.0)
    else:
        body.net = build_net(build, "graph", channels=channels)
    if isinstance(body.net, GNN):
        _check_pooling(body.net, schema)
    return Body(module=body, features=_features(body, schema), members=members_of(body.net))


def _check_pooling(net: GNN, schema: GraphSchema) -> None:
    pools = net.pool.pooling is not None
    if pools != (schema.level == "graph"):
        each, fit = ("graph", "'mean'") if schema.level == "graph" else ("node", "None")
        raise RequestError(f"each {each} has an answer of its own here; try a GNN with pooling={fit}")


def _features(body: GraphBody, schema: GraphSchema) -> int:
    """Units, by what the net says, or by two nodes alone."""
    known = getattr(body.net, "features", None)
    if isinstance(known, int):
        return known
    nodes, two = torch.zeros(2, body.channels), torch.tensor([0, 1])
    told = f"nodes (node, {body.channels}) and edges (2, edge)"
    if schema.level == "node":
        return features_of(
            body, {"nodes": nodes, "edges": torch.stack((two, two.flip(0)))}, f"{told}, and gives (node, unit)"
        )
    none = torch.empty(2, 0, dtype=torch.int64)
    told = f"{told}, and graph (node,), and gives (graph, unit)"
    return features_of(body, {"nodes": nodes, "edges": none, "graph": two}, told)
