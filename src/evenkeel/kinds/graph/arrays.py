"""Reader of graphs as pairs (nodes, edges) of arrays, tensors or lists, with or without answers.

nodes   numbers (node, channel), or a tag each (node,): whole numbers or words
edges   whole numbers (2, edge), or (edge, 2), the same way in all graphs
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch

from evenkeel.errors import DataError
from evenkeel.kinds.graph.edges import EdgeLayout, as_edges, join_edges, layout_of
from evenkeel.kinds.graph.nodes import NodeValues, as_numbers
from evenkeel.kinds.graph.objects import answers_frame, stack_numbers
from evenkeel.kinds.graph.schema import GraphSet
from evenkeel.shapes import Tensor

PAIRS_CHECKED = 8  # the first pairs of a list, by which it is recognised
Likeness = Literal["no", "maybe", "sure"]


def is_pairs(value: Any) -> bool:
    """Whether a value is a list of pairs whose second part can be edges.

    Example:
        >>> is_pairs([([[0.5], [0.1]], [[0], [1]])]), is_pairs([(1, 2)])
        (True, False)
    """
    if not isinstance(value, list) or not value:
        return False
    likenesses = [_likeness(pair) for pair in value[:PAIRS_CHECKED]]
    return "no" not in likenesses and "sure" in likenesses


def is_pair(value: Any) -> bool:
    """Whether a value is one graph as a tuple (nodes, edges), not a pair of graphs and answers."""
    return isinstance(value, tuple) and len(value) == 2 and not is_pairs(value[0]) and _likeness(value) == "sure"


def _likeness(value: Any) -> Likeness:
    """Judge how surely a value is (nodes, edges)."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return "no"
    if not all(isinstance(part, (np.ndarray, Tensor, list)) for part in value):
        return "no"
    try:
        nodes, edges = (part if isinstance(part, (np.ndarray, Tensor)) else np.asarray(part) for part in value)
    except ValueError:  # lists of different lengths
        return "no"
    if isinstance(value[1], list) and not value[1]:
        return "maybe" if nodes.ndim in (1, 2) else "no"
    if nodes.ndim not in (1, 2) or edges.ndim != 2 or 2 not in edges.shape:
        return "no"
    return _sure_of(value, nodes, edges)


def _sure_of(value: Sequence[Any], nodes: Any, edges: Any) -> Likeness:
    """Judge by the shapes, which differ in graphs alone, or by edges that are numbers of nodes."""
    numbers = np.asarray(edges.detach().cpu() if isinstance(edges, Tensor) else edges)
    if numbers.dtype.kind not in "iuf":
        return "no"
    if not numbers.size or tuple(nodes.shape) != numbers.shape:
        return "sure"
    lists = any(isinstance(part, list) for part in value)
    if isinstance(value, list) and lists:  # sequences, images
        return "maybe"
    named = (numbers >= 0) & (numbers < len(nodes)) & (numbers == np.round(numbers))
    return "sure" if named.all() or (numbers.dtype.kind != "f" and not lists) else "maybe"


def read_pairs(graphs: Sequence[Any], y: Any, answer: str | None, layout: EdgeLayout = "lying") -> GraphSet:
    """Read graphs from pairs (nodes, edges), with or without answers.

    Raises:
        DataError: something that is not a graph, or has other features than the others.
    """
    for number, graph in enumerate(graphs):
        if not isinstance(graph, (tuple, list)) or len(graph) != 2:
            raise DataError(f"graph {number} must be a pair (nodes, edges) of arrays, got {type(graph).__name__}")
    if not len(graphs):
        raise DataError("expected at least one graph, got an empty list")
    nodes = [_nodes_of(number, graph[0]) for number, graph in enumerate(graphs)]
    counts = [len(each) for each in nodes]
    frame = None if answer is None or y is None else answers_frame(y, answer)
    if frame is not None and frame.height != len(graphs):
        raise DataError(f"there are {len(graphs)} graphs and {frame.height} answers; they must be equally many")
    resolved = layout_of([graph[1] for graph in graphs], layout)
    return GraphSet(
        level="graph",
        sizes=tuple(counts),
        edges=join_edges([as_edges(graph[1], resolved) for graph in graphs], counts),
        values=_values(nodes, counts) if all(counts) else NodeValues(),
        answers=frame,
        targets=() if frame is None else tuple(frame.columns),
        source=f"{len(graphs)} graphs in memory",
        layout=resolved,
    )


def _nodes_of(number: int, nodes: Any) -> Tensor | np.ndarray:
    """Convert the nodes of one graph to numbers, or to an array of text."""
    if isinstance(nodes, Tensor):
        return nodes.detach().cpu()
    try:
        array = np.asarray(nodes)
    except ValueError as problem:
        raise DataError(f"graph {number}: its nodes must have equally many numbers each") from problem
    if array.dtype.kind not in "USO":
        return torch.as_tensor(array)
    if array.ndim != 1:
        raise DataError(
            f"graph {number}: words at nodes must be one each, (node,), got the shape {array.shape}; give numbers "
            "(node, channel), or one word for each node"
        )
    return array.astype(str)


def _values(nodes: Sequence[Tensor | np.ndarray], counts: Sequence[int]) -> NodeValues:
    """Join the features of all nodes; whole numbers and words (node,) are tags."""
    numbers = [each for each in nodes if isinstance(each, Tensor) and each.ndim != 1]
    if len(numbers) == len(nodes):
        return NodeValues(numbers=stack_numbers([as_numbers(each) for each in numbers], counts))
    if numbers or any(isinstance(each, Tensor) and each.is_floating_point() for each in nodes):
        raise DataError(
            "nodes must be whole numbers (node,), a tag each, or words, in every graph, or numbers (node, channel)"
        )
    return NodeValues(tags=np.concatenate([np.asarray(each).astype(str) for each in nodes]))
