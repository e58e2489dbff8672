"""Where the chain of a pass begins, and its graph cut into segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from evenkeel.chain.graph.classify import grouping, kind_of_place
from evenkeel.chain.graph.decompose import Segment, decompose
from evenkeel.chain.graph.drafts import WEIGHTED
from evenkeel.chain.graph.places import Graph, build
from evenkeel.chain.record.capture import Capture
from evenkeel.errors import TrainingError


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A graph and its segments in the order of the gradient; `starts_at` is `output` or `loss`."""

    graph: Graph
    segments: list[Segment]
    starts_at: Literal["output", "loss"]


def cut(captured: Capture) -> Cut:
    """Cut the graph of a pass, from the model's output where everything passes it, else from the loss itself.

    Raises:
        TrainingError: the loss does not depend on the inputs.
    """
    operations = captured.node_operations()
    entries = set(captured.entries)
    heads = [mark.grad_fn for mark in captured.outputs]
    top = captured.loss.grad_fn
    reached, clean = _reached(top, heads, entries, {n: o.phase for n, o in operations.items()})
    if heads and clean and reached:
        return _cut(captured.model, reached, entries, operations, "output")
    whole = _cut(captured.model, [top], entries, operations, "loss")
    at_output = any(s.upper > 0 and whole.graph.places[s.upper].members[0] in reached for s in whole.segments)
    if len(reached) == 1 and at_output:
        return _cut(captured.model, reached, entries, operations, "output")
    return whole


def _reached(top: Any, heads: list[Any], entries: set[Any], phases: dict[Any, str]) -> tuple[list[Any], bool]:
    """The output marks that the loss depends on, and whether it reaches the model through them alone."""
    marks, reached, clean = set(heads), set(), True
    seen, stack = {top}, [top]
    while stack:
        node = stack.pop()
        if node in marks:
            reached.add(node)
            continue
        clean = clean and node not in entries and phases.get(node) != "model"
        for below, _ in node.next_functions:
            if below is not None and below not in seen:
                seen.add(below)
                stack.append(below)
    return [head for head in dict.fromkeys(heads) if head in reached], clean


def _cut(
    model: nn.Module,
    heads: list[Any],
    entries: set[Any],
    operations: dict[Any, Any],
    starts_at: Literal["output", "loss"],
) -> Cut:
    graph = _classified(build(heads, entries, operations, grouping(operations, model)))
    if any(below <= place.number for place in graph.places for below in place.below):
        graph = _classified(build(heads, entries, operations, lambda node: None))  # a merged call was not one piece
    if len(graph.places) < 3:
        raise TrainingError("the loss does not depend on the inputs: is the output detached, or a constant?")
    segments = decompose(graph, lambda number: graph.places[number].kind in WEIGHTED)
    return Cut(graph=graph, segments=segments, starts_at=starts_at)


def _classified(graph: Graph) -> Graph:
    for place in graph.places[1:-1]:
        place.kind = kind_of_place(place)
    return graph
