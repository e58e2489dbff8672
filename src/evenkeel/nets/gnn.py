"""Graph net: messages between neighbours, layer upon layer; features of nodes, or of whole graphs.

    linear -> [messages, norm, activation, linear, +] x depth -> nodes, or mean, sum, max, attention of a graph -> norm

Source: Kipf and Welling 2017, arXiv:1609.02907 (GCN); Velickovic et al. 2018, arXiv:1710.10903 (GAT); Xu et al. 2019,
arXiv:1810.00826 (GIN); Hamilton et al. 2017, arXiv:1706.02216 (SAGE); Xu et al. 2018, arXiv:1806.03536 (jumping).
Neither the order of the nodes nor that of the edges matters, nor which graphs stand beside each other when predicting.
First weights: the input layer W ~ N(0, 1 / fan_in), b = 0; those of the blocks are in `evenkeel.nets.graph_layers`.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.errors import ShapeError
from evenkeel.nets.base import Net
from evenkeel.nets.blocks import Extent, UnitNorm, check_choice, check_dropout, draw_, extent_of
from evenkeel.nets.graph_layers import LAYERS, GraphBlock, GraphBlockOptions, MessageKind
from evenkeel.nets.graph_pool import GraphPool, GraphPooling
from evenkeel.nets.graph_wiring import GraphWiring, check_graph, count_graphs, with_self
from evenkeel.nets.inputs import check_channels
from evenkeel.shapes import Float, Int, Tensor

SIZES = {"small": Extent(width=64, depth=2), "base": Extent(width=256, depth=4)}
# GIN tells neighbourhoods apart by how much they add up to, which a norm over one node's units would take away.
FITTING = {"gcn": "layer", "gat": "layer", "sage": "layer", "gin": "batch"}


class GNN(nn.Module):
    """Nodes and edges of one or many graphs to features of nodes, or of graphs.

    Args:
        channels: numbers at each node.
        layer: `gcn` (mean of neighbours by degree), `gat` (by learned attention), `gin` (sum), `sage` (mean, and the
            node itself apart).
        size: `small` (width 64, 2 blocks) or `base` (width 256, 4 blocks).
        width: units of each node.
        depth: blocks, each of which hears one edge further.
        attention_heads: of a gat; by default as many as are 8 units wide.
        skip: `residual`, or `plain`, which makes all nodes alike when it is deep.
        norm: layer, batch, graph, None, or `auto`: batch for gin, layer for the others.
        activation: relu, leaky_relu, tanh, sigmoid, selu, elu, gelu, silu.
        dropout: share of inputs and hidden units silenced while training, off when predicting.
        input_dropout: share of inputs, where it is another one.
        jumping: `concat`: the features of every depth side by side, (depth + 1) times the width; or None: the last.
        pooling: None: features of each node; mean, sum, max or attention: of each graph. Unless there are no norms,
            features end in a layer norm, and sums in a batch norm: how much they are tells how large the graphs are.

    Shapes:
        nodes (node, channel), edges (2, edge) from the first row to the second, graph (node,) 0 0 1 2 2 ... ->
        (node, unit), with pooling (graph, unit). `graphs`, where known, saves a wait for the device.

    Raises:
        RequestError: an option that does not exist or does not fit; torch_geometric is not installed.
        ShapeError: tensors of another shape or type.
        DataError: an edge to a node that is not there, graphs out of order.

    Example:
        >>> edges = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
        >>> GNN(5, width=16)(torch.zeros(4, 5), edges).shape
        torch.Size([4, 16])
        >>> net = GNN(5, layer="gin", width=16, pooling="sum", jumping="concat")
        >>> net.features, net(torch.zeros(4, 5), edges, torch.tensor([0, 0, 0, 1])).shape
        (48, torch.Size([2, 48]))
    """

    def __init__(
        self,
        channels: int,
        *,
        layer: MessageKind = "gcn",
        size: Literal["small", "base"] = "small",
        width: int | None = None,
        depth: int | None = None,
        attention_heads: int | None = None,
        skip: Literal["residual", "plain"] = "residual",
        norm: str | None = "auto",
        activation: str = "relu",
        dropout: float = 0.0,
        input_dropout: float | None = None,
        jumping: Literal["concat"] | None = None,
        pooling: GraphPooling = None,
    ) -> None:
        super().__init__()
        _check(channels, layer, skip, jumping, dropout)
        check_dropout(input_dropout or 0.0)
        extent = extent_of(SIZES, size, width, depth)
        norm = FITTING[layer] if norm == "auto" else norm
        options = GraphBlockOptions(
            layer=layer,
            activation=activation,
            norm=norm,
            dropout=dropout,
            heads=attention_heads,
            share=1.0 / extent.depth,
        )
        self.channels, self.layer, self.dropout, self.jumping = channels, layer, dropout, jumping
        self.input_dropout = dropout if input_dropout is None else input_dropout
        self.features = extent.width * (1 if jumping is None else extent.depth + 1)
        self.input = draw_(nn.Linear(channels, extent.width))
        self.blocks = nn.ModuleList(GraphBlock(extent.width, options, skip=skip) for _ in range(extent.depth))
        self.pool = GraphPool(pooling, self.features)
        # A layer norm would take away how much a sum is, the one thing that it tells beyond a mean.
        last = None if norm is None else "batch" if pooling == "sum" else "layer"
        self.norm = None if last is None else UnitNorm(last, self.features)
        self.counts = pooling is not None or norm == "graph"

    @override
    def forward(
        self,
        nodes: Float[Tensor, "..."],
        edges: Int[Tensor, "..."],
        graph: Int[Tensor, "..."] | None = None,
        *,
        graphs: int | None = None,
    ) -> Float[Tensor, "row unit"]:
        check_graph(nodes, edges, graph, self.channels)
        wiring = self._wiring(nodes, edges, graph, graphs)
        # (node, channel) -> (node, unit)
        hidden = self.input(functional.dropout(nodes, self.input_dropout, self.training))
        seen = [hidden]
        for block in self.blocks:
            hidden = block(hidden, wiring)
            seen.append(hidden)
        features = hidden if self.jumping is None else torch.cat(seen, dim=1)  # (node, (depth + 1) · unit)
        return self._normed(self.pool(features, wiring))  # (node, unit) -> (graph, unit), with pooling

    def _wiring(self, nodes: Tensor, edges: Tensor, graph: Tensor | None, count: int | None) -> GraphWiring:
        """Neighbours and graph of each node, computed once for all layers."""
        graphs = count_graphs(graph, count) if self.counts else 1
        edges, weight = with_self(edges, nodes) if self.layer == "gcn" else (edges, None)
        return GraphWiring(edges=edges, weight=weight, graph=graph, graphs=graphs)

    def _normed(self, features: Tensor) -> Tensor:
        if self.norm is None:
            return features
        if self.norm.kind == "batch" and self.training and len(features) == 1:
            raise ShapeError(
                "sums over graphs are scaled by those of other graphs while training, and here is one graph alone; "
                "try more graphs in a batch, or pooling='mean'"
            )
        return self.norm(features)


def _check(channels: int, layer: str, skip: str, jumping: object, dropout: float) -> None:
    """Refuse options that do not exist or do not fit together."""
    check_channels(channels)
    check_choice("layer", layer, LAYERS)
    check_choice("skip", skip, ("residual", "plain"))
    check_choice("jumping", jumping, ("concat", None))
    check_dropout(dropout)


GNN_NET = Net(
    name="gnn",
    summary="graphs: messages between neighbours by GCN, GAT, GIN or SAGE; features of nodes or of whole graphs",
    source="Kipf and Welling 2017, arXiv:1609.02907; Xu et al. 2019, arXiv:1810.00826",
    call=GNN,
    reads=("graph",),
    sizes=SIZES,
)
