"""The autograd graph as the chain sees it: only nodes between the loss's source and the data, with whole calls merged.

A node of this graph is one autograd node, or all nodes of one call of a recurrent layer or of a small norm or
activation written by hand. Edges point as the gradient flows: from the output towards the input. Place 0 is the
source, the last place is the sink: the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor

from evenkeel.chain.record.values import Operation


class Edge(NamedTuple):
    """A value in use: `consumer`'s gradient number `position` flows to output `slot` of `target` (autograd nodes)."""

    consumer: Any
    position: int
    target: Any
    slot: int


@dataclass(eq=False, kw_only=True)
class Place:
    """One place of the graph with its members, and the places that it feeds gradients to and gets them from."""

    number: int
    members: list[Any]
    operation: Operation | None
    operations: list[Operation]
    kind: str
    entry: bool = False
    below: list[int] = field(default_factory=list)
    above: list[int] = field(default_factory=list)
    edges: dict[int, list[Edge]] = field(default_factory=dict)
    weight_edges: list[Edge] = field(default_factory=list)


@dataclass(kw_only=True)
class Graph:
    """Places in an order in which gradients can flow: every edge goes to a higher number."""

    places: list[Place]

    @property
    def sink(self) -> int:
        """The number of the last place, the data."""
        return len(self.places) - 1


Grouping = Callable[[Any], Any]
"""Gives the key of the call that swallows a node, or None where the node stands for itself."""


_Below = dict[Any, Any]
"""Each node with what it leads to: autograd makes `next_functions` anew at every look."""


def build(sources: Iterable[Any], entries: set[Any], operations: dict[Any, Operation], group: Grouping) -> Graph:
    """The graph from the source nodes down to the entries (nodes of the inputs) and to where integer data come in."""
    heads = list(sources)
    below = _descend(heads)
    data = _data_nodes(below, entries, operations)
    keys = {node: group(node) or node for node in below if node in data}
    members: dict[Any, list[Any]] = {}
    for node, key in keys.items():
        members.setdefault(key, []).append(node)
    numbered = _ordered(heads, members, keys, entries, below)
    return _connect(heads, numbered, members, keys, entries, operations, below)


def depends(value: Tensor, others: Iterable[Tensor]) -> bool:
    """Whether a tensor was computed from one of the others.

    Example:
        >>> import torch
        >>> x = torch.ones(2, requires_grad=True)
        >>> y = x * 2
        >>> depends(y.sum(), [y]), depends(x.sum(), [y])
        (True, False)
    """
    wanted = {tensor.grad_fn for tensor in others}
    seen, stack = {value.grad_fn}, [value.grad_fn]
    while stack and wanted:
        node = stack.pop()
        if node in wanted:
            return True
        below = [one for one, _ in getattr(node, "next_functions", ()) if one is not None and one not in seen]
        seen.update(below)
        stack += below
    return False


def _descend(heads: Iterable[Any]) -> _Below:
    """All nodes below the heads, each after everything that it leads to (post-order, without recursion)."""
    order: _Below = {}
    edges: _Below = {}
    stack: list[tuple[Any, bool]] = [(head, False) for head in heads]
    while stack:
        node, done = stack.pop()
        if done:
            order[node] = edges[node]
        elif node not in edges:
            edges[node] = node.next_functions
            stack.append((node, True))
            stack.extend([(below, False) for below, _ in edges[node] if below is not None and below not in edges])
    return order


def _data_nodes(below: _Below, entries: set[Any], operations: dict[Any, Operation]) -> set[Any]:
    data: set[Any] = set()
    for node, edges in below.items():
        if node in entries or node in operations or any(target in data for target, _ in edges):
            data.add(node)
    return data


def _ordered(
    heads: list[Any], members: dict[Any, list[Any]], keys: dict[Any, Any], entries: set[Any], edges: _Below
) -> list[Any]:
    """Keys from the source downwards: reversed post-order of the merged graph."""
    order: list[Any] = []
    seen: set[Any] = set()
    stack: list[tuple[Any, bool]] = [(keys[head], False) for head in heads if head in keys]
    while stack:
        key, done = stack.pop()
        if done:
            order.append(key)
        elif key not in seen:
            seen.add(key)
            stack.append((key, True))
            below = (keys[n] for m in members[key] if m not in entries for n, _ in edges[m] if n in keys)
            stack.extend((k, False) for k in below if k not in seen)
    return order[::-1]


def _connect(
    heads: list[Any],
    numbered: list[Any],
    members: dict[Any, list[Any]],
    keys: dict[Any, Any],
    entries: set[Any],
    operations: dict[Any, Operation],
    edges: _Below,
) -> Graph:
    number = {key: position + 1 for position, key in enumerate(numbered)}
    places = [_blank(0)] + [_place(number[key], members[key], entries, operations) for key in numbered]
    sink = _blank(len(places))
    for place in places[1:]:
        for node in place.members if not place.entry else ():
            _follow(node, edges[node], place, number, keys)
        if not place.below:
            place.below.append(sink.number)
    places.append(sink)
    places[0].below = sorted({number[keys[head]] for head in heads if head in keys})
    for place in places:
        for below in place.below:
            places[below].above.append(place.number)
    return Graph(places=places)


def _follow(node: Any, edges: Any, place: Place, number: dict[Any, int], keys: dict[Any, Any]) -> None:
    """File the edges of one node: to other places, or to weights; those inside its own place are left out."""
    for index, (target, slot) in enumerate(edges):
        if target is None:
            continue
        edge = Edge(node, index, target, slot)
        if target not in keys:
            place.weight_edges.append(edge)
        elif number[keys[target]] != place.number:
            below = number[keys[target]]
            if below not in place.edges:
                place.below.append(below)
            place.edges.setdefault(below, []).append(edge)


def _blank(number: int) -> Place:
    return Place(number=number, members=[], operation=None, operations=[], kind="end")


def _place(number: int, nodes: list[Any], entries: set[Any], operations: dict[Any, Operation]) -> Place:
    inside = [operations[node] for node in nodes if node in operations]
    entry = nodes[0] in entries
    operation = inside[0] if inside else None
    return Place(number=number, members=nodes, operation=operation, operations=inside, kind="", entry=entry)
