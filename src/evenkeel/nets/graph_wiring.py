"""Several graphs side by side as one: who hears whom, which graph each node is of, checked once for all layers.

    GCN takes  sum over the neighbours j of i, and i itself, of h_j / sqrt(d_i d_j),   d: how many those are

Edges (2, edge) go from their first row to their second; an undirected edge stands there both ways.
Source: Kipf and Welling 2017, arXiv:1609.02907
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import torch

from evenkeel.errors import DataError, RequestError, ShapeError
from evenkeel.shapes import Float, Int, Shaped, Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class GraphWiring:
    """What all layers of a net need to know of the graphs."""

    edges: Tensor
    """(2, edge), whole numbers."""
    weight: Tensor | None
    """(edge,): share of each message, where the layer does not find it itself."""
    graph: Tensor | None
    """(node,): which graph each node is of; None: all of one."""
    graphs: int
    """How many graphs there are."""


def check_graph(
    nodes: Shaped[Tensor, "..."], edges: Shaped[Tensor, "..."], graph: Shaped[Tensor, "..."] | None, channels: int
) -> None:
    """Refuse what is no graph; values are looked at where looking does not halt a device.

    Raises:
        ShapeError: tensors of another shape or type.
        DataError: an edge to a node that is not there, graphs out of order.

    Example:
        >>> check_graph(torch.zeros(3, 8), torch.tensor([[0, 1], [1, 0]]), torch.tensor([0, 0, 1]), channels=8)
    """
    if nodes.dim() != 2 or nodes.shape[1] != channels or not nodes.is_floating_point():
        raise ShapeError(
            f"nodes must be floating-point numbers of shape (node, {channels}), got {nodes.dtype} of shape "
            f"{tuple(nodes.shape)}; try nodes.float(), or build the net with another channels=..."
        )
    if edges.dim() != 2 or len(edges) != 2 or edges.dtype != torch.int64:
        raise ShapeError(
            f"edges must be int64 of shape (2, edge), from each node above to the one below it; got {edges.dtype} of "
            f"shape {tuple(edges.shape)}; try edges.T, or torch.empty(2, 0, dtype=torch.int64) where there are none"
        )
    if graph is not None and (graph.shape != nodes.shape[:1] or graph.dtype != torch.int64):
        raise ShapeError(
            f"graph must be int64 of shape ({len(nodes)},), the graph of each node; got {graph.dtype} of shape "
            f"{tuple(graph.shape)}"
        )
    if nodes.device.type == "cpu" and not torch.compiler.is_compiling():
        _check_values(len(nodes), edges, graph)


def _check_values(nodes: int, edges: Tensor, graph: Tensor | None) -> None:
    if edges.numel():
        least, most = (int(end) for end in edges.aminmax())
        if least < 0 or most >= nodes:
            raise DataError(
                f"edges must join the {nodes} nodes 0 to {nodes - 1}, got {least} to {most}; "
                "where graphs stand side by side, add to each one's edges the nodes before it"
            )
    if graph is not None and len(graph) and (int(graph[0]) < 0 or bool((graph.diff() < 0).any())):
        raise DataError(
            f"graph must count up from 0, the nodes of each graph together; got numbers from {int(graph.min())} to "
            f"{int(graph.max())}, out of order or below 0; try sorting the nodes by their graph"
        )


def count_graphs(graph: Int[Tensor, " node"] | None, count: int | None) -> int:
    """The number of graphs: `count`, or up to the last node's, which makes a device wait.

    Raises:
        DataError: a count below the number there is (seen where looking does not halt a device).

    Example:
        >>> count_graphs(torch.tensor([0, 0, 1]), None), count_graphs(None, None)
        (2, 1)
    """
    if graph is None:
        return 1 if count is None else count
    if count is None:
        return int(graph[-1]) + 1 if len(graph) else 0
    looks = graph.device.type == "cpu" and not torch.compiler.is_compiling()
    if looks and len(graph) and int(graph[-1]) >= count:
        raise DataError(f"graphs={count}, but nodes are of graph {int(graph[-1])}; try graphs={int(graph[-1]) + 1}")
    return count


def with_self(
    edges: Int[Tensor, "2 edge"], nodes: Float[Tensor, "node channel"]
) -> tuple[Int[Tensor, "2 more"], Float[Tensor, " more"]]:
    """The edges and one from each node to itself, with the shares that GCN gives them.

    An edge to itself that was there before counts nothing beside the new one.

    Example:
        >>> edges, weight = with_self(torch.tensor([[0, 1], [1, 0]]), torch.zeros(2, 8))
        >>> edges.tolist(), weight
        ([[0, 1, 0, 1], [1, 0, 0, 1]], tensor([0.5000, 0.5000, 0.5000, 0.5000]))
    """
    source, target = edges
    # In half precision the neighbours of a large hub could not be counted.
    kind = torch.promote_types(nodes.dtype, torch.float32)
    counts = (source != target).to(kind)
    degree = nodes.new_ones(len(nodes), dtype=kind).index_add(0, target, counts)
    scale = degree.rsqrt()
    own = torch.arange(len(nodes), device=edges.device)
    weight = torch.cat((counts * scale[source] * scale[target], 1 / degree))
    return torch.cat((edges, own.expand(2, -1)), dim=1), weight


def graph_library() -> Any:
    """`torch_geometric.nn`, or one clear error that says how to get it."""
    try:
        with warnings.catch_warnings():
            # It still compiles some classes by torch.jit, of which recent versions of torch warn.
            warnings.simplefilter("ignore", DeprecationWarning)
            import torch_geometric.nn as library
    except ImportError as error:
        raise RequestError("a GNN needs torch_geometric; try: pip install 'evenkeel[graphs]'") from error
    return library
