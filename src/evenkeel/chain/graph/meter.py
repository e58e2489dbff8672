"""Collect what is to be read of one backward pass over a graph.

A *total* is the whole gradient at a node's output, over all of its uses (a pre-hook). A *flow* is what given edges
alone carry to a value: the contribution of one path (hooks on the nodes above it, summed where several edges end in one
value). Both are exact; neither needs a module, so functional and in-place code is seen as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from evenkeel.chain.graph.places import Edge, Graph
from evenkeel.chain.record.batch import tensors_in
from evenkeel.chain.record.reading import Reading
from evenkeel.chain.record.wiring import Flow, Wiring


class Meter:
    """Hands out readings, and wires them: `wiring.reading()` around the backward pass fills them in."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[tuple[int, ...], Reading] = {}
        self.wiring = Wiring()

    def total(self, places: Sequence[int]) -> Reading:
        """The whole gradient at the values of some places together."""
        key = tuple(places)
        if key not in self._known:
            self._known[key] = self.watch(Reading([]), places)
        return self._known[key]

    def watch(self, reading: Reading, places: Sequence[int]) -> Reading:
        """Let a reading see the whole gradient at the values of some places."""
        for place in places:
            found = self._graph.places[place]
            if len(found.members) == 1:
                self.wiring.totals.setdefault(found.members[0], []).append(reading)
            else:
                self._join(reading, [edge for a in found.above for edge in self._graph.places[a].edges[place]])
        return reading

    def rows(self, place: int, batch: int | None) -> Reading:
        """As `total`, with the norm of each example's gradient and how alike they are."""
        return self.watch(Reading([], batch=batch), [place])

    def flow(self, edges: Sequence[Edge]) -> Reading:
        """What these edges carry, summed where they end in the same value."""
        return self._join(Reading([]), edges)

    def _join(self, reading: Reading, edges: Sequence[Edge]) -> Reading:
        targets: dict[tuple[Any, int], list[Edge]] = {}
        for edge in edges:
            targets.setdefault((edge.target, edge.slot), []).append(edge)
        for group in targets.values():
            self.wiring.flows.append(Flow(reading, tuple((edge.consumer, edge.position) for edge in group)))
        return reading

    def tensor_gradient(self, value: Any) -> list[Tensor | None]:
        """The whole gradient of each tensor in a nested value, filled in during the pass."""
        tensors = list(tensors_in(value))
        gradients: list[Tensor | None] = [None] * len(tensors)
        for position, tensor in enumerate(tensors):
            if tensor.grad_fn is not None:
                self.wiring.keepers.append((tensor.grad_fn, tensor.output_nr, gradients, position))
        return gradients
