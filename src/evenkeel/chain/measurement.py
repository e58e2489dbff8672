"""From a recorded forward pass to a chain, in two halves with the backward pass between them.

measurement = Measurement(model, captured)       cuts the graph, looks at tensors while they live
with measurement.reading(): loss.backward()      norms are read on the way
chain = measurement.chain(gradients)             everything fetched at once, written into frozen records
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from evenkeel.chain.atlas import Atlas
from evenkeel.chain.capture import Capture
from evenkeel.chain.classify import grouping, kind_of_place
from evenkeel.chain.decompose import Segment, decompose
from evenkeel.chain.drafts import WEIGHTED, Assembler
from evenkeel.chain.fetch import Fetch
from evenkeel.chain.graph import Graph, build
from evenkeel.chain.ledger import Ledger
from evenkeel.chain.link import Chain
from evenkeel.chain.meter import Meter
from evenkeel.chain.naming import Namer
from evenkeel.chain.pending import PendingLink
from evenkeel.chain.reading import Manner
from evenkeel.chain.recurrent import Unrolled, unroll
from evenkeel.chain.spectrum import singular_values
from evenkeel.chain.statistics import Norms
from evenkeel.chain.survey import Surveyor
from evenkeel.chain.values import measure
from evenkeel.chain.writing import Ends, Measured
from evenkeel.errors import TrainingError


class Asked(NamedTuple):
    """What the device was asked for after a pass: norms of these gradients; the loss, a similarity if any, the rest."""

    names: tuple[str, ...]
    gradients: Norms
    rest: Fetch
    similarities: int

    @property
    def ready(self) -> bool:
        """Whether all of it is there."""
        return self.gradients.ready and self.rest.ready


class Measurement:
    """Everything that is read of one pass; `parameters` are those whose gradients `chain` wants to be told.

    Args:
        model: whose pass was captured.
        captured: the pass, its graph still alive; what it holds of tensors is let go.
        purpose: with "again" its `atlas` is kept, by which later passes of the same shape are measured (`repeat`).
    """

    def __init__(self, model: nn.Module, captured: Capture, purpose: Literal["once", "again"] = "once") -> None:
        self._captured = captured
        self._ledger = Ledger()
        self._all = dict(model.named_parameters())
        self.parameters = {name: one for name, one in self._all.items() if one.requires_grad}
        self._unrolled: dict[int, Unrolled] = {}
        self._spectra: dict[int, tuple[float, ...]] = {}
        self.graph, segments, self._starts_at = _graph(model, captured)
        meter = Meter(self.graph)
        namer = Namer(captured.operations, type(model).__name__)
        measure([weight for operation in captured.operations for weight in operation.weights])
        surveyor = Surveyor(self.graph, meter, self._ledger, namer, captured.batch, self._shared())
        with torch.no_grad():
            drafts = Assembler(self.graph).links(segments)
            surveyor.prepare(drafts)
            self._pending = surveyor.links(drafts)
        self._ends = self._read_ends(meter)
        self._loss, self._known, self._batch = captured.loss, captured.known_loss, captured.batch
        self._atlas = None
        if purpose == "again":
            names = {id(one): name for name, one in self._all.items()}
            top, sources = captured.loss.grad_fn, self._ledger.sources
            self._atlas = Atlas(top, captured.outputs, sources, meter.wiring, names)
        self._ledger.sources = {}
        for operation in captured.operations:
            operation.release()
        self._recurrent = [(call, meter.tensor_gradient(call.output)) for call in captured.calls.recurrent]
        self._wiring, self._nodes = meter.wiring, None
        self.manner: Manner = "quick"
        self._asked: Asked | None = None

    def spectra(self, count: int) -> None:
        """Add the largest singular values of each link; the graph must have been kept."""
        for link in self._pending:
            self._spectra[id(link)] = singular_values(self.graph, link.draft, count, self._captured.batch)

    def reading(self) -> AbstractContextManager[None]:
        """Around the backward pass."""
        return self._wiring.reading(self._nodes)

    def chain(self, gradients: Mapping[str, Tensor | None], *, unit: float = 1.0) -> Chain:
        """The records, after the backward pass: `ask` and `finish` at once."""
        self.ask(gradients)
        return self.finish(unit=unit)

    def ask(self, gradients: Mapping[str, Tensor | None]) -> None:
        """Ask the device for all that was measured, without waiting for it.

        Args:
            gradients: what each parameter got in this pass.

        Raises:
            TrainingError: a gradient could not be read.
        """
        if self._wiring.problem is not None:
            raise TrainingError(f"a gradient could not be read: {self._wiring.problem}") from self._wiring.problem
        present = {name: one for name in self.parameters if (one := gradients.get(name)) is not None}
        rows = self._ends.lower_rows
        alike = [] if rows is None or rows.similarity is None else [rows.similarity]
        read = self._ledger.ask()
        self._asked = Asked(tuple(present), Norms([*present.values()]), Fetch([self._loss, *alike, *read]), len(alike))

    @property
    def asked(self) -> bool:
        """Whether something was asked for that has not been finished."""
        return self._asked is not None

    @property
    def ready(self) -> bool:
        """Whether `finish` would not wait for the device."""
        return self._asked is None or self._asked.ready

    def finish(self, *, unit: float = 1.0) -> Chain:
        """The records of what was asked for.

        Args:
            unit: what the loss was multiplied with before (a gradient scaler's factor); it is divided out.

        Raises:
            TrainingError: a gradient that was read quickly is too small or too large for that.
        """
        asked, self._asked = self._asked, None
        if asked is None:
            raise TrainingError("nothing was asked for: call ask after the backward pass")
        norms: dict[str, float | None] = dict.fromkeys(self.parameters)
        norms.update(zip(asked.names, (norm / unit for norm in asked.gradients.numbers()), strict=True))
        loss, *fetched = asked.rest.numbers()
        similarity, fetched = (fetched[0], fetched[1:]) if asked.similarities else (None, fetched)
        self._ledger.settle(fetched, unit)
        if self._ledger.doubtful:
            self.manner = "exact"
            raise TrainingError("a gradient is too small or too large to be read quickly; the next is read exactly")
        for call, found in self._recurrent:
            unrolled = unroll(call.call.module, call.arguments, call.output, found)
            if unrolled is not None:
                self._unrolled[id(call.call)] = unrolled
        measured = self._measured(norms, loss / unit, similarity)
        self._let_go()
        return measured.chain()

    def repeat(self, loss: Tensor, outputs: Sequence[Tensor]) -> bool:
        """Make ready for another pass over a graph of the same shape; False where it has another one.

        Links, names, theory, weights' sizes and the chain over time stay what they were; the rest is read anew, and
        what nobody keeps for the backward pass (the end of a residual branch) is None.
        """
        if self._asked is not None:
            raise TrainingError("the last pass has not been finished")
        nodes = None if self._atlas is None else self._atlas.nodes(loss.grad_fn)
        if nodes is None or self._atlas is None:
            return False
        self._nodes, self._loss, self._wiring.problem = nodes, loss, None
        self._wiring.again(self.manner)
        with torch.no_grad():
            self._ledger.note_again(self._atlas.read(nodes, outputs, self._batch))
        return True

    def _let_go(self) -> None:
        """What belongs to the pass that is over."""
        self._recurrent, self._nodes, self._loss = [], None, self._loss.detach()
        if self._atlas is not None and self._wiring is not self._atlas.wiring:
            self._wiring = self._atlas.wiring
            del self.graph, self._captured

    def _measured(self, gradients: Mapping[str, float | None], loss: float, similarity: float | None) -> Measured:
        return Measured(
            ledger=self._ledger,
            pending=self._pending,
            ends=self._ends,
            loss=loss,
            gradient_similarity=similarity,
            known_loss=self._known,
            starts_at=self._starts_at,
            batch=self._batch,
            parameters=self._all,
            gradients=gradients,
            unrolled=self._unrolled,
            spectra=self._spectra,
        )

    def _shared(self) -> set[str]:
        """Weights whose gradient is not that of one use: they enter several operations, or no module holds them."""
        names = {weight.name for operation in self._captured.operations for weight in operation.weights}
        return {name for name in names if self._captured.uses[name] != 1 or name not in self._all}

    def _read_ends(self, meter: Meter) -> Ends:
        graph, batch = self.graph, self._captured.batch
        tops, bottom = graph.places[0].below, _bottom(graph, self._pending)
        return Ends(
            upper=self._ledger.expect(meter.total(tops)),
            lower=self._ledger.expect(meter.total(bottom)),
            upper_rows=meter.rows(tops[0], batch) if len(tops) == 1 else None,
            lower_rows=meter.rows(bottom[0], batch) if len(bottom) == 1 else None,
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
