"""Body for graphs: one of our GNNs, or the user's own net on nodes, edges and the graph of each node.

Nodes that are mostly zeros come as places and values, and dropout is drawn for these alone: a zero stays zero under
dropout, so the distribution is the same as that of dropout on all, at a tenth of its cost.
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
    """Body of graphs: fields of a batch to features of its graphs, or of the nodes in `rows`.

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
        features = self.net(nodes, edges) if graph is None else self.net(nodes, edges, graph)
        return features if rows is None else features[rows]

    def count_examples(self, inputs: Mapping[str, Tensor]) -> int:
        """Count the examples of a batch: its graphs, or its nodes in `rows`."""
        if "rows" in inputs:
            return len(inputs["rows"])
        return int(inputs["graph"][-1]) + 1 if len(inputs["graph"]) else 0  # the nodes come graph by graph


def _dense(starts: Tensor, columns: Tensor, values: Tensor, channels: int) -> Float[Tensor, "node channel"]:
    """Convert places and values to a dense matrix."""
    count = len(starts) - 1
    nodes = torch.arange(count, device=starts.device).repeat_interleave(starts.diff(), output_size=len(columns))
    dense = values.new_zeros(count, channels)
    dense[nodes, columns] = values
    return dense


def graph_body(build: Build[GraphSchema]) -> Body:
    """Build our net by the plan, or wrap the user's own.

    Raises:
        RequestError: the net cannot read graphs, or gives features of another level than the examples.
    """
    schema = build.schema
    channels = schema.nodes.channels
    sparse = schema.level == "node" and schema.nodes.form == "sparse" and build.given is None
    body = GraphBody(nn.Identity(), channels)
    if sparse:
        rate = build.plan.net_options.get("input_dropout")
        body.dropout = build.plan.dropout if rate is None else float(rate)
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
    """Count the feature units: by the net's attribute, or by passing two nodes."""
    known = getattr(body.net, "features", None)
    if isinstance(known, int):
        return known
    nodes, two = torch.zeros(2, body.channels), torch.tensor([0, 1])
    reads = f"nodes (node, {body.channels}) and edges (2, edge)"
    if schema.level == "node":
        return features_of(
            body, {"nodes": nodes, "edges": torch.stack((two, two.flip(0)))}, f"{reads}, and gives (node, unit)"
        )
    none = torch.empty(2, 0, dtype=torch.int64)
    reads = f"{reads}, and graph (node,), and gives (graph, unit)"
    return features_of(body, {"nodes": nodes, "edges": none, "graph": two}, reads)
