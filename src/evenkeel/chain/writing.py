"""Write the frozen records of a chain when both passes are over and every number has been fetched."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from evenkeel.chain.ledger import Ledger
from evenkeel.chain.link import Branch, Chain, Link, LocalTerm, ratio
from evenkeel.chain.pending import PendingBranch, PendingLink, PendingTerm
from evenkeel.chain.reading import Reading
from evenkeel.chain.recurrent import Unrolled


@dataclass(frozen=True, kw_only=True)
class Ends:
    """The readings at the two ends of the chain."""

    upper: Reading
    lower: Reading
    upper_rows: Reading | None
    lower_rows: Reading | None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Everything that is known of one pass; `gradients` by the name of the parameter."""

    ledger: Ledger
    pending: list[PendingLink]
    ends: Ends
    loss: float
    gradient_similarity: float | None
    known_loss: float | None
    starts_at: str
    batch: int | None
    parameters: Mapping[str, Tensor]
    gradients: Mapping[str, float | None]
    unrolled: Mapping[int, Unrolled]
    spectra: Mapping[int, tuple[float, ...]]

    def chain(self) -> Chain:
        """The record of the whole."""
        ends = self.ends
        upper, lower = self.ledger.norm(ends.upper), self.ledger.norm(ends.lower)
        return Chain(
            links=tuple(self._link(link) for link in self.pending),
            loss=self.loss,
            known_loss=self.known_loss,
            starts_at=self.starts_at,
            output_gradient=upper,
            output_gradient_rms=_rms(upper, ends.upper.count),
            input_gradient=lower,
            gradient_similarity=self.gradient_similarity,
            example_gains=_example_gains(ends),
            batch=self.batch,
            without_gradient=tuple(name for name, gradient in self.gradients.items() if gradient is None),
            frozen=tuple(name for name, parameter in self.parameters.items() if not parameter.requires_grad),
        )

    def _link(self, link: PendingLink) -> Link:
        ledger = self.ledger
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
            singular_values=self.spectra.get(id(link), ()),
            steps=None if call is None else self.unrolled.get(id(call)),
        )

    def _branch(self, branch: PendingBranch, above: float | None) -> Branch:
        contribution = self.ledger.norm(branch.flow)
        above = above if branch.above is None else self.ledger.norm(branch.above)
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
        name = term.name
        norm = self.gradients.get(name) if term.gradient is None else self.ledger.norm(term.gradient)
        input_norm = self.ledger.value(term.input_norm)
        return LocalTerm(
            name=name,
            shape=tuple(self.parameters[name].shape if name in self.parameters else term.shape),
            rms=math.sqrt(term.mean_square),
            ideal_rms=term.ideal_rms,
            input_rms=_rms(input_norm, term.input_count),
            input_norm=input_norm,
            output_gradient_norm=self.ledger.norm(term.output),
            gradient_norm=norm,
        )


def _example_gains(ends: Ends) -> tuple[float, ...]:
    above = None if ends.upper_rows is None else ends.upper_rows.rows
    below = None if ends.lower_rows is None else ends.lower_rows.rows
    if above is None or below is None or above.shape != below.shape or ends.upper.manner == "quick":
        return ()
    return tuple((below.double() / above.double()).nan_to_num(0.0).tolist())


def _rms(norm: float | None, count: int) -> float | None:
    return None if norm is None or not count else norm / math.sqrt(count)
