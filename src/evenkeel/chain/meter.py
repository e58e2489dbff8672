"""Read the norms of gradients during one backward pass, with hooks on nodes of the graph.

A *total* is the whole gradient at a node's output, over all of its uses (a pre-hook). A *flow* is what given edges
alone carry to a value: the contribution of one path (hooks on the nodes above it, summed where several edges end in one
value). Both are exact; neither needs a module, so functional and in-place code is seen as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from evenkeel.chain.batch import tensors_in
from evenkeel.chain.graph import Edge, Graph
from evenkeel.chain.statistics import example_rows, mean_cosine, norm_of, wide


@dataclass(eq=False)
class Reading:
    """What one place of measurement saw: tensors until the pass is over; `norm` None where no gradient came by."""

    norms: list[Tensor]
    count: int = 0
    batch: int | None = None
    rows: Tensor | None = None
    similarity: Tensor | None = None

    def add(self, gradient: Tensor) -> None:
        """Take in one gradient."""
        rows = example_rows(gradient, self.batch)
        self.count += gradient.numel()
        if rows is None:
            self.norms.append(norm_of(gradient))
            return
        lengths = torch.linalg.vector_norm(rows, dim=1, dtype=wide(rows))
        self.norms.append(torch.linalg.vector_norm(lengths))
        self.rows = lengths if self.rows is None else (self.rows.square() + lengths.square()).sqrt()
        self.similarity = mean_cosine(rows, lengths) if rows.shape[0] > 1 else None

    @property
    def norm(self) -> Tensor | None:
        """The norm over everything taken in."""
        if len(self.norms) < 2:
            return self.norms[0] if self.norms else None
        return torch.linalg.vector_norm(torch.stack([norm.to(self.norms[0]) for norm in self.norms]))


class Meter:
    """Collects what is to be read, then reads all of it in one backward pass."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._totals: dict[Any, list[Reading]] = {}
        self._sums: dict[Any, list[_Sum]] = {}
        self._keepers: list[tuple[Any, int, list[Tensor | None], int]] = []
        self._known: dict[tuple[int, ...], Reading] = {}

    def total(self, places: Sequence[int]) -> Reading:
        """The whole gradient at the values of some places together."""
        key = tuple(places)
        if key not in self._known:
            self._known[key] = self._add(Reading([]), places)
        return self._known[key]

    def _add(self, reading: Reading, places: Sequence[int]) -> Reading:
        for place in places:
            found = self._graph.places[place]
            if len(found.members) == 1:
                self._totals.setdefault(found.members[0], []).append(reading)
            else:
                self._watch(reading, [edge for a in found.above for edge in self._graph.places[a].edges[place]])
        return reading

    def rows(self, place: int, batch: int | None) -> Reading:
        """As `total`, with the norm of each example's gradient and how alike they are."""
        return self._add(Reading([], batch=batch), [place])

    def flow(self, edges: Sequence[Edge]) -> Reading:
        """What these edges carry, summed where they end in the same value."""
        return self._watch(Reading([]), edges)

    def _watch(self, reading: Reading, edges: Sequence[Edge]) -> Reading:
        targets: dict[tuple[Any, int], list[Edge]] = {}
        for edge in edges:
            targets.setdefault((edge.target, edge.slot), []).append(edge)
        for group in targets.values():
            total = _Sum(reading, len(group))
            for edge in group:
                self._sums.setdefault(edge.consumer, []).append(total)
                total.indices.setdefault(edge.consumer, []).append(edge.position)
        return reading

    def tensor_gradient(self, value: Any) -> list[Tensor | None]:
        """The whole gradient of each tensor in a nested value, filled in during the pass."""
        tensors = list(tensors_in(value))
        found: list[Tensor | None] = [None] * len(tensors)
        for position, tensor in enumerate(tensors):
            if tensor.grad_fn is not None:
                self._keepers.append((tensor.grad_fn, tensor.output_nr, found, position))
        return found

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Within the block, a backward pass over the graph is read."""
        handles = [node.register_prehook(_reader(readings)) for node, readings in self._totals.items()]
        handles += [node.register_prehook(_keeper(slot, into, at)) for node, slot, into, at in self._keepers]
        handles += [node.register_hook(_adder(node, sums)) for node, sums in self._sums.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
            for total in {total for sums in self._sums.values() for total in sums}:
                total.finish()


class _Sum:
    """Adds up what several edges carry to one value, and hands the sum on when the last has come."""

    def __init__(self, reading: Reading, expected: int) -> None:
        self.indices: dict[Any, list[int]] = {}
        self._reading = reading
        self._missing = expected
        self._sum: Tensor | None = None

    def take(self, node: Any, gradients: Sequence[Tensor | None]) -> None:
        """Take in what one node sends."""
        for index in self.indices[node]:
            gradient = gradients[index]
            self._missing -= 1
            if gradient is not None:
                self._sum = gradient if self._sum is None else self._sum + gradient
        if self._missing == 0:
            self.finish()

    def finish(self) -> None:
        """Hand on what has come; some edges carry nothing where a branch leads nowhere."""
        if self._sum is not None:
            with torch.no_grad():
                self._reading.add(self._sum)
            self._sum = None


def _reader(readings: list[Reading]) -> Any:
    def hook(gradients: Sequence[Tensor | None]) -> None:
        for gradient in gradients:
            if gradient is not None:
                for reading in readings:
                    reading.add(gradient)

    return hook


def _keeper(slot: int, into: list[Tensor | None], position: int) -> Any:
    def hook(gradients: Sequence[Tensor | None]) -> None:
        into[position] = gradients[slot]

    return hook


def _adder(node: Any, sums: list[_Sum]) -> Any:
    once = list(dict.fromkeys(sums))

    def hook(gradients: Sequence[Tensor | None], _above: Sequence[Tensor | None]) -> None:
        for total in once:
            total.take(node, gradients)

    return hook
