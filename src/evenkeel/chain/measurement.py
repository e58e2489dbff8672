"""From a recorded forward pass to a chain, in two halves with the backward pass between them.

measurement = Measurement(model, captured)       cuts the graph, looks at tensors while they live
with measurement.meter.reading(): loss.backward()     norms are read on the way
chain = measurement.chain(gradients)             everything fetched at once, written into frozen records
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from evenkeel.chain.capture import Capture
from evenkeel.chain.classify import grouping, kind_of_place
from evenkeel.chain.decompose import Segment, decompose
from evenkeel.chain.drafts import WEIGHTED, Assembler
from evenkeel.chain.graph import Graph, build
from evenkeel.chain.ledger import Ledger
from evenkeel.chain.link import Branch, Chain, Link, LocalTerm, ratio
from evenkeel.chain.meter import Meter, Reading
from evenkeel.chain.naming import Namer
from evenkeel.chain.pending import PendingBranch, PendingLink, PendingTerm
from evenkeel.chain.recurrent import Unrolled, unroll
from evenkeel.chain.spectrum import singular_values
from evenkeel.chain.statistics import norms_of
from evenkeel.chain.survey import Surveyor
from evenkeel.chain.values import measure
from evenkeel.errors import TrainingError


@dataclass(frozen=True)
class _Ends:
    """The readings at the two ends of the chain."""

    upper: Reading
    lower: Reading
    upper_rows: Reading | None
    lower_rows: Reading | None


class Measurement:
    """Everything that is read of one pass; `parameters` are those whose gradients `chain` wants to be told.

    Args:
        model: whose pass was captured.
        captured: the pass, its graph still alive; what it holds of tensors is let go.
    """

    def __init__(self, model: nn.Module, captured: Capture) -> None:
        self._model, self._captured = model, captured
        self._ledger = Ledger()
        self._all = dict(model.named_parameters())
        self.parameters = {name: one for name, one in self._all.items() if one.requires_grad}
        self._gradients: dict[str, float | None] = {}
        self._unrolled: dict[int, Unrolled] = {}
        self._spectra: dict[int, tuple[float, ...]] = {}
        self.graph, segments, self._starts_at = _graph(model, captured)
        self.meter = Meter(self.graph)
        namer = Namer(captured.operations, type(model).__name__)
        measure([weight for operation in captured.operations for weight in operation.weights])
        surveyor = Surveyor(self.graph, self.meter, self._ledger, namer, captured.batch, self._shared())
        with torch.no_grad():
            drafts = Assembler(self.graph).links(segments)
            surveyor.prepare(drafts)
            self._pending = surveyor.links(drafts)
        self._ends = self._read_ends()
        for operation in captured.operations:
            operation.release()
        self._recurrent = [self.meter.tensor_gradient(call.output) for call in captured.calls.recurrent]

    def spectra(self, count: int) -> None:
        """Add the largest singular values of each link; the graph must have been kept."""
        for link in self._pending:
            self._spectra[id(link)] = singular_values(self.graph, link.draft, count, self._captured.batch)

    def chain(self, gradients: Mapping[str, Tensor | None], *, unit: float = 1.0) -> Chain:
        """The records, after the backward pass.

        Args:
            gradients: what each parameter got in this pass.
            unit: what the loss was multiplied with before (a gradient scaler's factor); it is divided out.
        """
        present = {name: one for name in self.parameters if (one := gradients.get(name)) is not None}
        self._gradients = dict.fromkeys(self.parameters)
        norms = [norm / unit for norm in norms_of([*present.values()])]
        self._gradients.update(zip(present, norms, strict=True))
        self._ledger.settle(unit)
        for call, found in zip(self._captured.calls.recurrent, self._recurrent, strict=True):
            unrolled = unroll(call.call.module, call.arguments, call.output, found)
            if unrolled is not None:
                self._unrolled[id(call.call)] = unrolled
        return self._record(unit)

    def _shared(self) -> set[str]:
        """Weights whose gradient is not that of one use: they enter several operations, or no module holds them."""
        names = {weight.name for operation in self._captured.operations for weight in operation.weights}
        return {name for name in names if self._captured.uses[name] != 1 or name not in self._all}

    def _read_ends(self) -> _Ends:
        graph, meter, batch = self.graph, self.meter, self._captured.batch
        tops, bottom = graph.places[0].below, _bottom(graph, self._pending)
        return _Ends(
            upper=self._ledger.expect(meter.total(tops)),
            lower=self._ledger.expect(meter.total(bottom)),
            upper_rows=meter.rows(tops[0], batch) if len(tops) == 1 else None,
            lower_rows=meter.rows(bottom[0], batch) if len(bottom) == 1 else None,
        )

    def _record(self, unit: float) -> Chain:
        ends = self._ends
        upper, lower = self._ledger.norm(ends.upper), self._ledger.norm(ends.lower)
        rows = ends.lower_rows
        return Chain(
            links=tuple(self._link(link) for link in self._pending),
            loss=float(self._captured.loss.detach()) / unit,
            known_loss=self._captured.known_loss,
            starts_at=self._starts_at,
            output_gradient=upper,
            output_gradient_rms=_rms(upper, ends.upper.count),
            input_gradient=lower,
            gradient_similarity=None if rows is None or rows.similarity is None else float(rows.similarity),
            example_gains=_example_gains(ends),
            batch=self._captured.batch,
            without_gradient=tuple(name for name, gradient in self._gradients.items() if gradient is None),
            frozen=tuple(name for name, parameter in self._all.items() if not parameter.requires_grad),
        )

    def _link(self, link: PendingLink) -> Link:
        ledger = self._ledger
        above, below = ledger.norm(link.upper), ledger.norm(link.lower)
        call = None if link.recurrent is None else link.recurrent.call
        return Link(
            name=link.name,
            kind=link.kind,
            gain=ratio(below, above),
            expected_gain=None if link.lower is None else link.theory.expected,
            ideal_gain=None if link.lower is None else link.theory.ideal,
            scatter=link.theory.scatter,
            forward_rms=_rms(ledger.value(link.forward_norm), link.forward_count),
            backward_rms=_rms(above, link.upper.count),
            similarity=ledger.value(link.similarity),
            dead=ledger.value(link.dead),
            saturated=ledger.value(link.saturated),
            contribution=below,
            output_gradient_norm=above,
            exact_cut=link.exact_cut,
            activation=link.activation,
            norm=link.norm,
            width=link.width,
            terms=tuple(self._term(term) for term in link.terms),
            branches=tuple(self._branch(branch, above) for branch in link.branches),
            singular_values=self._spectra.get(id(link), ()),
            steps=None if call is None else self._unrolled.get(id(call)),
        )

    def _branch(self, branch: PendingBranch, above: float | None) -> Branch:
        contribution = self._ledger.norm(branch.flow)
        above = above if branch.above is None else self._ledger.norm(branch.above)
        return Branch(
            name=branch.name,
            kind=branch.kind,
            gain=ratio(contribution, above),
            expected_gain=branch.expected,
            ideal_gain=branch.ideal,
            contribution=contribution,
            links=tuple(self._link(link) for link in branch.links),
        )

    def _term(self, term: PendingTerm) -> LocalTerm:
        name = term.weight.name
        norm = self._gradients.get(name) if term.gradient is None else self._ledger.norm(term.gradient)
        input_norm = self._ledger.value(term.input_norm)
        return LocalTerm(
            name=name,
            shape=tuple(self._all.get(name, term.weight.tensor).shape),  # an operation may have taken it transposed
            rms=math.sqrt(term.weight.mean_square),
            ideal_rms=term.ideal_rms,
            input_rms=_rms(input_norm, term.input_count),
            input_norm=input_norm,
            output_gradient_norm=self._ledger.norm(term.output),
            gradient_norm=norm,
        )


def _graph(model: nn.Module, captured: Capture) -> tuple[Graph, list[Segment], str]:
    """The graph from the model's output where everything passes it, else from the loss itself."""
    operations = captured.node_operations()
    entries = set(captured.entries)
    heads = [mark.grad_fn for mark in captured.outputs]
    top = captured.loss.grad_fn
    reached, clean = _reached(top, heads, entries, {n: o.phase for n, o in operations.items()})
    if heads and clean and reached:
        return (*_cut(model, reached, entries, operations), "output")
    graph, segments = _cut(model, [top], entries, operations)
    cut = next((s for s in segments if s.upper > 0 and graph.places[s.upper].members[0] in reached), None)
    if len(reached) == 1 and cut is not None:
        return (*_cut(model, reached, entries, operations), "output")
    return graph, segments, "loss"


def _reached(top: Any, heads: list[Any], entries: set[Any], phases: dict[Any, str]) -> tuple[list[Any], bool]:
    """The output marks that the loss depends on, and whether it reaches the model through them alone."""
    marks, found, clean = set(heads), set(), True
    seen, stack = {top}, [top]
    while stack:
        node = stack.pop()
        if node in marks:
            found.add(node)
            continue
        clean = clean and node not in entries and phases.get(node) != "model"
        for below, _ in node.next_functions:
            if below is not None and below not in seen:
                seen.add(below)
                stack.append(below)
    return [head for head in dict.fromkeys(heads) if head in found], clean


def _cut(
    model: nn.Module, heads: list[Any], entries: set[Any], operations: dict[Any, Any]
) -> tuple[Graph, list[Segment]]:
    graph = _classified(build(heads, entries, operations, grouping(operations, model)))
    if any(below <= place.number for place in graph.places for below in place.below):
        graph = _classified(build(heads, entries, operations, lambda node: None))  # a merged call was not one piece
    if len(graph.places) < 3:
        raise TrainingError("the loss does not depend on the inputs: is the output detached, or a constant?")
    return graph, decompose(graph, lambda number: graph.places[number].kind in WEIGHTED)


def _classified(graph: Graph) -> Graph:
    for place in graph.places[1:-1]:
        place.kind = kind_of_place(place)
    return graph


def _bottom(graph: Graph, pending: list[PendingLink]) -> list[int]:
    """The places whose gradient is the chain's lower end: the inputs, else the first value that takes a gradient."""
    first = next((link for link in pending if link.lower is not None), None)
    if first is None:
        return pending[0].draft.entries if pending else list(graph.places[0].below)
    if first.draft.lower != graph.sink:
        return [first.draft.lower]
    return [number for number in first.draft.exits if graph.places[number].entry]


def _example_gains(ends: _Ends) -> tuple[float, ...]:
    above = None if ends.upper_rows is None else ends.upper_rows.rows
    below = None if ends.lower_rows is None else ends.lower_rows.rows
    if above is None or below is None or above.shape != below.shape:
        return ()
    return tuple((below.double() / above.double()).nan_to_num(0.0).tolist())


def _rms(norm: float | None, count: int) -> float | None:
    return None if norm is None or not count else norm / math.sqrt(count)
