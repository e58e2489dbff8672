"""Names of links: where the weights live, how often they were used before, or what joins the paths."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from evenkeel.chain.geometry import main_weight
from evenkeel.chain.graph import Graph
from evenkeel.chain.operations import RECURRENT
from evenkeel.chain.values import Operation


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
        for found in place.operations:
            if id(found) in self._names:
                return self._names[id(found)]
        if operation.phase == "loss":
            return f"loss.{operation.name}"
        call = operation.call
        return operation.name.strip("_") if call is None or call.path == self._root else call.name

    def weighted(self, graph: Graph, places: list[int]) -> list[str]:
        """The names of the weighted operations among some places."""
        found = (self._names.get(id(operation)) for place in places for operation in graph.places[place].operations)
        return [name for name in found if name is not None]

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
    return None if weight is None else weight.name.removesuffix(".weight")
