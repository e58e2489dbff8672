"""Trace: one forward and one backward pass of any model, read term by term into a `Chain`.

    1. run the model and the loss, recorded          capture, record
    2. cut the autograd graph and merge into links   graph, decompose, drafts
    3. look at tensors while they live               survey, theory
    4. run backward with hooks on nodes              meter
    5. write it all into frozen records              here

The model, its gradients, buffers, mode and the random state are as before when it returns, also when it raises.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from evenkeel.chain.batch import LossFunction
from evenkeel.chain.capture import Capture, capture
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
from evenkeel.chain.state import eager, materialised, undisturbed
from evenkeel.chain.statistics import norms_of
from evenkeel.chain.survey import Surveyor
from evenkeel.chain.values import measure
from evenkeel.errors import RequestError, TrainingError


def trace(model: nn.Module, loss: LossFunction | None, batch: Any, *, spectrum: int = 0) -> Chain:
    """Measure the back-propagation chain of a model on one batch, link by link.

    Args:
        model: any module; it is run once forward and once backward and left exactly as it was.
        loss: `loss(output, target) -> scalar`, or None where the model's output carries `.loss`.
        batch: `(inputs, target)`; a tensor, tuple or mapping of inputs is passed on as `model(x)`, `model(*x)`,
            `model(**x)`. With `loss=None` the batch itself is the inputs.
        spectrum: how many of the largest singular values of each link's Jacobian to add (for the first example).

    Returns:
        A `Chain`: print its `table()`, or show its `figure()`.

    Raises:
        RequestError: the loss is not one number, or `spectrum` is negative.
        DataError: the batch is not `(inputs, target)`.
        TrainingError: the loss depends on nothing that takes a gradient.

    Example:
        >>> model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
        >>> chain = trace(model, nn.functional.mse_loss, (torch.randn(64, 8), torch.randn(64, 1)))
        >>> [(link.name, link.kind, link.activation) for link in chain.links]
        [('0', 'linear', 'relu'), ('2', 'linear', None)]
    """
    if spectrum < 0:
        raise RequestError(f"spectrum must be a number of singular values, 0 or more, got {spectrum}")
    subject = materialised(model)
    with undisturbed(subject, loss) as overwritten, eager(), torch.inference_mode(False), torch.enable_grad():
        return _Tracer(subject, capture(subject, loss, batch, overwritten), spectrum).chain()


@dataclass(frozen=True)
class _Ends:
    """The readings at the two ends of the chain."""

    upper: Reading
    lower: Reading
    upper_rows: Reading | None
    lower_rows: Reading | None


class _Tracer:
    """The passage from a recorded forward pass to a chain."""

    def __init__(self, model: nn.Module, captured: Capture, spectrum: int) -> None:
        self._model, self._captured, self._spectrum = model, captured, spectrum
        self._ledger = Ledger()
        self._parameters = dict(model.named_parameters())
        self._gradients: dict[str, float | None] = {}
        self._unrolled: dict[int, Unrolled] = {}
        self._spectra: dict[int, tuple[float, ...]] = {}

    def chain(self) -> Chain:
        """Everything, in order."""
        captured = self._captured
        graph, segments, starts_at = _graph(self._model, captured)
        meter = Meter(graph)
        namer = Namer(captured.operations, type(self._model).__name__)
        measure([weight for operation in captured.operations for weight in operation.weights])
        surveyor = Surveyor(graph, meter, self._ledger, namer, captured.batch, self._shared())
        with torch.no_grad():
            drafts = Assembler(graph).links(segments)
            surveyor.prepare(drafts)
            pending = surveyor.links(drafts)
        ends = self._ends(graph, meter, pending)
        calls = captured.calls.recurrent
        for operation in captured.operations:
            operation.release()
        recurrent = [meter.tensor_gradient(call.output) for call in calls]
        self._backward(graph, meter, pending)
        self._ledger.settle()
        for call, gradients in zip(calls, recurrent, strict=True):
            found = unroll(call.call.module, call.arguments, call.output, gradients)
            if found is not None:
                self._unrolled[id(call.call)] = found
        return self._record(pending, ends, starts_at)

    def _shared(self) -> set[str]:
        """Weights whose gradient is not that of one use: they enter several operations, or no module holds them."""
        names = {weight.name for operation in self._captured.operations for weight in operation.weights}
        return {name for name in names if self._captured.uses[name] != 1 or name not in self._parameters}

    def _ends(self, graph: Graph, meter: Meter, pending: list[PendingLink]) -> _Ends:
        tops = graph.places[0].below
        bottom = _bottom(graph, pending)
        batch = self._captured.batch
        return _Ends(
            upper=self._ledger.expect(meter.total(tops)),
            lower=self._ledger.expect(meter.total(bottom)),
            upper_rows=meter.rows(tops[0], batch) if len(tops) == 1 else None,
            lower_rows=meter.rows(bottom[0], batch) if len(bottom) == 1 else None,
        )

    def _backward(self, graph: Graph, meter: Meter, pending: list[PendingLink]) -> None:
        parameters = {name: one for name, one in self._parameters.items() if one.requires_grad}
        inputs = [*self._captured.leaves, *parameters.values()]
        found = meter.run(self._captured.loss, inputs, keep=self._spectrum > 0)[len(self._captured.leaves) :]
        gradients = {name: gradient for name, gradient in zip(parameters, found, strict=True) if gradient is not None}
        self._gradients = dict.fromkeys(parameters)
        self._gradients.update(zip(gradients, norms_of([*gradients.values()]), strict=True))
        if self._spectrum:
            for link in pending:
                self._spectra[id(link)] = singular_values(graph, link.draft, self._spectrum, self._captured.batch)

    def _record(self, pending: list[PendingLink], ends: _Ends, starts_at: str) -> Chain:
        upper, lower = self._ledger.norm(ends.upper), self._ledger.norm(ends.lower)
        rows = ends.lower_rows
        return Chain(
            links=tuple(self._link(link) for link in pending),
            loss=float(self._captured.loss.detach()),
            known_loss=self._captured.known_loss,
            starts_at=starts_at,
            output_gradient=upper,
            output_gradient_rms=_rms(upper, ends.upper.count),
            input_gradient=lower,
            gradient_similarity=None if rows is None or rows.similarity is None else float(rows.similarity),
            example_gains=_example_gains(ends),
            batch=self._captured.batch,
            without_gradient=tuple(name for name, gradient in self._gradients.items() if gradient is None),
            frozen=tuple(name for name, parameter in self._parameters.items() if not parameter.requires_grad),
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
            shape=tuple(term.weight.tensor.shape),
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
