"""Names of links: where the weights live, how often they were used before, or what joins the paths."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Any

from evenkeel.chain.graph.geometry import main_weight
from evenkeel.chain.graph.places import Graph
from evenkeel.chain.record.operations import RECURRENT
from evenkeel.chain.record.values import Operation

_OWN_NAME = re.compile(r"\.(parametrizations\.weight\.original[01]?|weight(_orig|_g|_v)?)$")
"""What says only that it is the layer's weight, also where torch makes that of another parameter (spectral norm)."""


class Namer:
    """Gives each weighted operation the path of its weight, and counts the uses of shared ones: `cell`, `cell#2`."""

    def __init__(self, operations: list[Operation], root: str) -> None:
        self._root = root
        self._names: dict[int, str] = {}
        uses: dict[str, int] = {}
        seen_calls: set[Any] = set()
        for operation in operations:
            base = _base(operation, seen_calls)
            if base is not None:
                uses[base] = uses.get(base, 0) + 1
                self._names[id(operation)] = base if uses[base] == 1 else f"{base}#{uses[base]}"

    def place(self, graph: Graph, number: int) -> str:
        """The name of one place."""
        place = graph.places[number]
        operation = place.operation
        if operation is None:
            return place.members[0].name().removesuffix("Backward0") if place.members else "inputs"
        for member in place.operations:
            if id(member) in self._names:
                return self._names[id(member)]
        if operation.phase == "output":
            return "output"
        if operation.phase == "loss":
            return f"loss.{operation.name}"
        call = operation.call
        return operation.name.strip("_") if call is None or call.path == self._root else call.name

    def join(self, graph: Graph, number: int, inside: list[int]) -> str:
        """The name of a place that joins parallel paths: its module's, else that of what the paths hold."""
        operation = graph.places[number].operation
        if operation is None or (operation.call is not None and operation.call.path != self._root):
            return self.place(graph, number)
        return self.common(graph, inside, self.place(graph, number))

    def span(self, graph: Graph, places: list[int]) -> str | None:
        """The first and the last weighted operation among some places: `block.up..down`; None without any."""
        names = self.weighted(graph, sorted(places, reverse=True))
        if len(names) < 2:
            return names[0] if names else None
        columns = zip(*(name.split(".") for name in (names[0], names[-1])), strict=False)
        shared = sum(len(column[0]) + 1 for column in takewhile(lambda column: len(set(column)) == 1, columns))
        return f"{names[0]}..{names[-1][shared:]}" if shared < len(names[-1]) else names[0]

    def weighted(self, graph: Graph, places: list[int]) -> list[str]:
        """The names of the weighted operations among some places."""
        names = (self._names.get(id(operation)) for place in places for operation in graph.places[place].operations)
        return [name for name in names if name is not None]

    def common(self, graph: Graph, places: list[int], fallback: str) -> str:
        """The module that some weighted operations have in common, else the fallback."""
        names = self.weighted(graph, sorted(places, reverse=True))
        if not names:
            return fallback
        if len(names) == 1:
            return names[0]
        columns = zip(*(name.split("#")[0].split(".") for name in names), strict=False)
        parts = [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]
        return ".".join(parts) or f"{names[0]}..{names[-1]}"


def _base(operation: Operation, seen_calls: set[Any]) -> str | None:
    call = operation.call
    if operation.name in RECURRENT or (call is not None and hasattr(call.module, "all_weights")):
        if call is None or id(call) in seen_calls:
            return None
        seen_calls.add(id(call))
        return call.path
    if operation.kind not in ("linear", "convolution", "embedding") or not operation.weights:
        return None
    weight = main_weight(operation)
    return None if weight is None else _OWN_NAME.sub("", weight.name)
