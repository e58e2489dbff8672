"""From a recorded forward pass to a chain, in two halves with the backward pass between them.

measurement = Measurement(captured)              cuts the graph, looks at tensors while they live
with measurement.reading(): loss.backward()      norms are read on the way
chain = measurement.chain(gradients)             everything fetched at once, written into frozen records
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from evenkeel.chain.chain import Chain
from evenkeel.chain.ends import read_ends
from evenkeel.chain.graph.cut import cut
from evenkeel.chain.graph.drafts import Assembler
from evenkeel.chain.graph.meter import Meter
from evenkeel.chain.graph.naming import Namer
from evenkeel.chain.graph.spectrum import singular_values
from evenkeel.chain.record.atlas import Atlas
from evenkeel.chain.record.capture import Capture
from evenkeel.chain.record.fetch import Fetch
from evenkeel.chain.record.ledger import Ledger
from evenkeel.chain.record.reading import Manner
from evenkeel.chain.record.recurrent import unroll
from evenkeel.chain.record.statistics import Norms
from evenkeel.chain.record.unfinished import root_mean_square
from evenkeel.chain.record.values import measure
from evenkeel.chain.survey import Surveyor
from evenkeel.chain.terms import LocalTerms
from evenkeel.errors import TrainingError


class Fetching(NamedTuple):
    """Numbers on their way after a pass: norms of these gradients; the loss, a similarity if any, the rest."""

    names: tuple[str, ...]
    gradients: Norms
    rest: Fetch
    similarities: int

    @property
    def ready(self) -> bool:
        """Whether all of it is there."""
        return self.gradients.ready and self.rest.ready


class Measurement:
    """Everything that is read of one pass; `parameters` are those whose gradients `chain` wants.

    Args:
        captured: the pass, its graph still alive; what it holds of tensors is let go.
        purpose: with "again" its `atlas` is kept, by which later passes of the same shape are measured (`repeat`).
    """

    def __init__(self, captured: Capture, purpose: Literal["once", "again"] = "once") -> None:
        self._captured = captured
        self._ledger = Ledger()
        self._all = dict(captured.model.named_parameters())
        self.parameters = {name: one for name, one in self._all.items() if one.requires_grad}
        parts = cut(captured)
        self._graph, self._starts_at = parts.graph, parts.starts_at
        meter = Meter(parts.graph)
        namer = Namer(captured.operations, type(captured.model).__name__)
        measure([weight for operation in captured.operations for weight in operation.weights])
        terms = LocalTerms(meter, self._ledger, self._all, self._shared())
        surveyor = Surveyor(parts.graph, meter, self._ledger, namer, captured.batch, terms)
        with torch.no_grad():
            self._links = Assembler(parts.graph).links(parts.segments)
            surveyor.fill(self._links)
        self._ends = read_ends(parts.graph, self._links, meter, self._ledger, captured.batch)
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
        self._fetching: Fetching | None = None

    def spectra(self, count: int) -> None:
        """Add the largest singular values of each link; the graph must have been kept."""
        for link in self._links:
            values = singular_values(self._graph, link, count, self._captured.batch)
            link.record.fields["singular_values"] = values

    def reading(self) -> AbstractContextManager[None]:
        """Around the backward pass."""
        return self._wiring.reading(self._nodes)

    def chain(self, gradients: Mapping[str, Tensor | None], *, unit: float = 1.0) -> Chain:
        """The records, after the backward pass: `ask` and `finish` at once."""
        self.ask(gradients)
        return self.finish(unit=unit)

    def ask(self, gradients: Mapping[str, Tensor | None]) -> None:
        """Start to fetch all that was measured, without waiting for the device.

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
        rest = Fetch([self._loss, *alike, *read])
        self._fetching = Fetching(tuple(present), Norms([*present.values()]), rest, len(alike))

    @property
    def asked(self) -> bool:
        """Whether something was asked for that has not been finished."""
        return self._fetching is not None

    @property
    def ready(self) -> bool:
        """Whether `finish` would not wait for the device."""
        return self._fetching is None or self._fetching.ready

    def finish(self, *, unit: float = 1.0) -> Chain:
        """The records of what was asked for.

        Args:
            unit: what the loss was multiplied with before (a gradient scaler's factor); it is divided out.

        Raises:
            TrainingError: a gradient that was read quickly is too small or too large for that.
        """
        fetching, self._fetching = self._fetching, None
        if fetching is None:
            raise TrainingError("nothing was asked for: call ask after the backward pass")
        norms: dict[str, float | None] = dict.fromkeys(self.parameters)
        norms.update(zip(fetching.names, (norm / unit for norm in fetching.gradients.numbers()), strict=True))
        loss, *fetched = fetching.rest.numbers()
        similarity, fetched = (fetched[0], fetched[1:]) if fetching.similarities else (None, fetched)
        self._ledger.settle(fetched, unit)
        if self._ledger.doubtful:
            self.manner = "exact"
            raise TrainingError("a gradient is too small or too large to be read quickly; the next is read exactly")
        self._ledger.gradients = norms
        for call, gradients in self._recurrent:
            unrolled = unroll(call.call.module, call.arguments, call.output, gradients)
            if unrolled is not None:
                self._ledger.unrolled[id(call.call)] = unrolled
        chain = self._finished(loss / unit, similarity)
        self._let_go()
        return chain

    def _finished(self, loss: float, similarity: float | None) -> Chain:
        """The records, with the numbers that have come."""
        ledger, ends = self._ledger, self._ends
        upper = ledger.norm(ends.upper)
        return Chain(
            links=tuple(link.record.finish(ledger) for link in self._links),
            loss=loss,
            known_loss=self._known,
            starts_at=self._starts_at,
            output_gradient=upper,
            output_gradient_rms=root_mean_square(upper, ends.upper.count),
            input_gradient=ledger.norm(ends.lower),
            gradient_similarity=similarity,
            example_gains=ends.example_gains(),
            batch=self._batch,
            without_gradient=tuple(name for name, gradient in ledger.gradients.items() if gradient is None),
            frozen=tuple(name for name, parameter in self._all.items() if not parameter.requires_grad),
        )

    def repeat(self, loss: Tensor, outputs: Sequence[Tensor]) -> bool:
        """Make ready for another pass over a graph of the same shape; False where it has another one.

        Links, names, theory, weights' sizes and the chain over time stay what they were; the rest is read anew, and
        what nobody keeps for the backward pass (the end of a residual branch) is None.
        """
        if self._fetching is not None:
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
            del self._graph, self._captured

    def _shared(self) -> set[str]:
        """Weights whose gradient is not that of one use: they enter several operations, or no module holds them."""
        names = {weight.name for operation in self._captured.operations for weight in operation.weights}
        return {name for name in names if self._captured.uses[name] != 1 or name not in self._all}
