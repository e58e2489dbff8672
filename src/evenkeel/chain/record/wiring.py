"""Hooks on the nodes of a graph that read one backward pass, as a value that fits every graph of the same shape.

Nodes stand for themselves, or are counted: then `reading` is told which node has which number this time. A hook that
fails ends the reading, never the pass: it is somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from evenkeel.chain.record.reading import Manner, Reading

Hook = Callable[..., None]


@dataclass(frozen=True, eq=False)
class Flow:
    """Edges that end in one value: the node that sends, and which of its gradients; they are summed before the norm."""

    reading: Reading
    edges: tuple[tuple[Any, int], ...]


@dataclass(kw_only=True)
class Wiring:
    """What is read where: whole gradients at nodes, flows along edges, and gradients that are kept as they are."""

    totals: dict[Any, list[Reading]] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    keepers: list[tuple[Any, int, list[Tensor | None], int]] = field(default_factory=list)
    problem: Exception | None = None
    """What went wrong in a hook."""

    def numbered(self, numbers: Mapping[Any, int]) -> Wiring:
        """The same with numbers for nodes; what was kept of single gradients is left out."""
        return Wiring(
            totals={numbers[node]: readings for node, readings in self.totals.items()},
            flows=[Flow(flow.reading, tuple((numbers[n], at) for n, at in flow.edges)) for flow in self.flows],
        )

    def again(self, manner: Manner) -> None:
        """Make all readings ready for another pass."""
        for reading in {r for readings in self.totals.values() for r in readings} | {f.reading for f in self.flows}:
            reading.again(manner)

    @contextmanager
    def reading(self, nodes: Sequence[Any] | None = None) -> Iterator[None]:
        """Within the block, a backward pass over the graph is read; `nodes` by their numbers."""
        place = (lambda node: node) if nodes is None else nodes.__getitem__
        sums: dict[Any, list[tuple[_Sum, int]]] = {}
        totals = [_Sum(flow) for flow in self.flows]
        for total in totals:
            for node, position in total.flow.edges:
                sums.setdefault(node, []).append((total, position))
        handles = [
            place(node).register_prehook(self._careful(_reader(readings))) for node, readings in self.totals.items()
        ]
        handles += [
            place(node).register_prehook(self._careful(_keeper(slot, into, at)))
            for node, slot, into, at in self.keepers
        ]
        handles += [place(node).register_hook(self._careful(_adder(group))) for node, group in sums.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
            for total in totals:
                self._careful(total.finish)()

    def _careful(self, hook: Hook) -> Hook:
        def careful(*arguments: Any) -> None:
            if self.problem is None:
                try:
                    hook(*arguments)
                except Exception as problem:
                    self.problem = problem

        return careful


class _Sum:
    """Adds up what several edges carry to one value, and hands the sum on when the last has come."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._missing = len(flow.edges)
        self._sum: Tensor | None = None

    def take(self, gradient: Tensor | None) -> None:
        """Take in what one edge carries."""
        self._missing -= 1
        if gradient is not None:
            self._sum = gradient if self._sum is None else self._sum + gradient
        if self._missing == 0:
            self.finish()

    def finish(self) -> None:
        """Hand on what has come; some edges carry nothing where a branch leads nowhere."""
        if self._sum is not None:
            with torch.no_grad():
                self.flow.reading.add(self._sum)
            self._sum = None


def _reader(readings: list[Reading]) -> Hook:
    def hook(gradients: Sequence[Tensor | None]) -> None:
        for gradient in gradients:
            if gradient is not None:
                for reading in readings:
                    reading.add(gradient)

    return hook


def _keeper(slot: int, into: list[Tensor | None], position: int) -> Hook:
    def hook(gradients: Sequence[Tensor | None]) -> None:
        into[position] = gradients[slot]

    return hook


def _adder(sums: list[tuple[_Sum, int]]) -> Hook:
    def hook(gradients: Sequence[Tensor | None], _above: Sequence[Tensor | None]) -> None:
        for total, position in sums:
            total.take(gradients[position])

    return hook
