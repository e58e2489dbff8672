"""Fill in the records of links while tensors are alive: forward statistics and theory now, gradients when read."""

from __future__ import annotations

import math
from collections import Counter
from functools import partial

from evenkeel.chain.graph.drafts import FOLLOWING, LEADING, BranchDraft, LinkDraft, flows, region_kind
from evenkeel.chain.graph.meter import Meter
from evenkeel.chain.graph.naming import Namer
from evenkeel.chain.graph.places import Graph, Place
from evenkeel.chain.link import ratio
from evenkeel.chain.record.ledger import Ledger, Source
from evenkeel.chain.record.operations import SATURATING
from evenkeel.chain.record.reading import Reading
from evenkeel.chain.record.statistics import Summary, dead_share, saturated_share
from evenkeel.chain.record.unfinished import Later, norm_of, rms_of, rms_of_value, value_of
from evenkeel.chain.record.values import Operation, Value, summarise_values
from evenkeel.chain.terms import LocalTerms
from evenkeel.chain.theory.features import activation_name, function_of, layout_of, norm_name, width_of
from evenkeel.chain.theory.gain import UNKNOWN, Theory, of_series, of_sum, root_product, root_sum

_NAMING = ("weighted", "region", "norm", "operation", "activation", "elementwise", "dropout", "view", "spread")
"""What a link is named after, the weightiest first."""


class Surveyor:
    """Fills in the records of drafts one by one."""

    def __init__(
        self,
        graph: Graph,
        meter: Meter,
        ledger: Ledger,
        namer: Namer,
        batch: int | None,
        terms: LocalTerms,
    ) -> None:
        self._graph, self._meter, self._ledger, self._namer = graph, meter, ledger, namer
        self._batch, self._terms = batch, terms
        self._summaries: dict[int, Summary | None] = {}

    def fill(self, drafts: list[LinkDraft]) -> None:
        """Fill in all links of a chain, those inside branches as well."""
        self._prepare(drafts)
        self._series(drafts)

    def _prepare(self, drafts: list[LinkDraft]) -> None:
        """Look at the outputs of many links at once, which is cheaper where they are small."""
        walked = [draft for top in drafts for draft in top.walk()]
        tops = [self._graph.places[draft.upper] for draft in walked if draft.upper > 0 and draft.segments[-1].joins]
        summarise_values([value for value in map(self._value, tops) if value is not None], self._batch)

    def _series(self, drafts: list[LinkDraft]) -> list[Theory]:
        """Fill in the links of a series, no two under one name; what theory says of each."""
        theories = [self._fill(draft) for draft in drafts]
        for rename in (self._whole_name, self._numbered_name):
            uses = Counter(draft.record.fields["name"] for draft in drafts)
            seen: Counter[str] = Counter()
            for draft in drafts:
                name = draft.record.fields["name"]
                seen[name] += 1
                if uses[name] > 1:
                    draft.record.fields["name"] = rename(draft, name, seen[name])
        return theories

    def _whole_name(self, draft: LinkDraft, name: str, number: int) -> str:
        """What its paths have in common, else from their first to their last layer: one of two blocks in a module."""
        inside = [place for branch in draft.branches for place in branch.places if branch.kind != "bypass"]
        common = self._namer.common(self._graph, inside, name)
        return common if common != name else self._namer.span(self._graph, inside) or name

    @staticmethod
    def _numbered_name(draft: LinkDraft, name: str, number: int) -> str:
        return name if number == 1 else f"{name}#{number}"

    def _fill(self, draft: LinkDraft) -> Theory:
        """Fill in one link: each field of its record, in one place."""
        places = [self._graph.places[number] for number in draft.places]
        for branch in draft.branches:
            self._fill_branch(branch, draft)
        kind = self._kind(draft, places)
        summary = self.summary(draft.upper) if draft.segments[-1].joins else None
        activation = next((p for p in reversed(places) if p.kind == "activation" and p.operation), None)
        norm = next((p for p in places if p.kind == "norm" and p.operation is not None), None)
        output = self._value(self._graph.places[draft.upper]) if draft.upper > 0 else None
        theory = self._theory(draft, kind, places)
        draft.arriving = arriving = self._ledger.expect(self._meter.total(draft.entries))
        draft.passed = passed = self._passed(draft)
        draft.record.fields |= {
            "name": self._name(draft, kind),
            "kind": kind,
            "gain": _gain(passed, arriving),
            "expected_gain": None if passed is None else theory.expected,
            "ideal_gain": None if passed is None else theory.ideal,
            "scatter": theory.scatter,
            "forward_rms": self._forward_rms(summary, output),
            "backward_rms": rms_of(arriving),
            "similarity": self._similarity(summary, output),
            "dead": value_of(self._dead(activation, places)),
            "saturated": value_of(self._saturated(activation)),
            "contribution": norm_of(passed),
            "output_gradient_norm": norm_of(arriving),
            "exact_cut": not any(branch.kind == "bypass" for branch in draft.branches),
            "activation": activation_name(activation, draft.roles),
            "norm": norm_name(norm),
            "width": None if output is None else width_of(output, places),
            "terms": [term for place in places for term in self._terms.of(place, activation)],
            "branches": [branch.record for branch in draft.branches],
            "steps": _steps(next((p.operation for p in places if p.kind == "recurrent"), None)),
        }
        return theory

    def _forward_rms(self, summary: Summary | None, output: Value | None) -> Later:
        if summary is None:
            return value_of(None)
        return rms_of_value(self._ledger.note(summary.norm, Source(output, "norm")), summary.count)

    def _similarity(self, summary: Summary | None, output: Value | None) -> Later:
        return value_of(self._ledger.note(summary.similarity, Source(output, "similarity")) if summary else None)

    def _kind(self, draft: LinkDraft, places: list[Place]) -> str:
        if "region" in draft.roles:
            return region_kind(self._graph, draft)
        for role in ("weighted", "norm"):
            if role in draft.roles:
                return self._graph.places[draft.segments[draft.roles.index(role)].upper].kind
        kinds = [place.kind for place in places]
        return min(kinds, key=lambda kind: (kind in LEADING, kind in FOLLOWING), default="view")

    def _name(self, draft: LinkDraft, kind: str) -> str:
        for role in _NAMING:
            if role in draft.roles:
                segment = draft.segments[draft.roles.index(role)]
                inside = [place for path in segment.paths for place in path.places]
                if segment.joins:
                    return self._namer.join(self._graph, segment.upper, inside)
        inside = [place for branch in draft.branches for place in branch.places]
        return self._namer.common(self._graph, inside, kind)

    def _passed(self, draft: LinkDraft) -> Reading | None:
        """What this link passes to its input: the whole gradient there if nothing else does, else its own flow."""
        below = self._graph.places[draft.lower]
        if draft.lower == self._graph.sink:
            entries = [number for number in draft.exits if self._graph.places[number].entry]
            return self._ledger.expect(self._meter.total(entries)) if entries else None
        if set(below.above) == set(draft.exits):
            return self._ledger.expect(self._meter.total([draft.lower]))
        return self._ledger.expect(self._meter.flow(flows(self._graph.places, draft.exits, draft.lower)))

    def _fill_branch(self, branch: BranchDraft, draft: LinkDraft) -> None:
        """Fill in one parallel path of a link."""
        theories = self._series(branch.drafts)
        share = self._share(branch, draft)
        flow = self._branch_flow(branch, draft)
        leaving = self._leaving(branch) if branch.kind == "bypass" else None
        name = self._namer.common(self._graph, branch.places, branch.kind if branch.kind == "skip" else "path")
        branch.record.fields |= {
            "name": name,
            "kind": branch.kind,
            "gain": lambda ledger: ratio(
                ledger.norm(flow), ledger.norm(draft.arriving if leaving is None else leaving)
            ),
            "expected_gain": root_product([share, *(theory.expected for theory in theories)]),
            "ideal_gain": root_product([share, *(theory.ideal for theory in theories)]),
            "contribution": norm_of(flow),
            "links": [inner.record for inner in branch.drafts],
        }

    def _leaving(self, branch: BranchDraft) -> Reading:
        """The gradient where a bypass leaves the spine: at the values that it is an ingredient of."""
        inside = set(branch.places)
        above = {place for entry in branch.entries for place in self._graph.places[entry].above} - inside
        consumers = sorted(above) if inside else branch.exits
        return self._ledger.expect(self._meter.total(consumers))

    def _branch_flow(self, branch: BranchDraft, draft: LinkDraft) -> Reading | None:
        lower = self._lower_of(branch, draft)
        if lower == self._graph.sink:
            entries = [number for number in branch.exits if self._graph.places[number].entry]
            return self._ledger.expect(self._meter.total(entries)) if entries else None
        return self._ledger.expect(self._meter.flow(flows(self._graph.places, branch.exits, lower)))

    @staticmethod
    def _lower_of(branch: BranchDraft, draft: LinkDraft) -> int:
        for segment in draft.segments:
            if any(path.exits == branch.exits and path.places == branch.places for path in segment.paths):
                return segment.lower
        return draft.lower

    def _share(self, branch: BranchDraft, draft: LinkDraft) -> float | None:
        """Root of the share of the join's gradient energy that a path gets: 1 in a sum, by size where put together."""
        if branch.kind == "bypass":
            return None
        segment = next(segment for segment in draft.segments if segment.paths)
        operation = self._graph.places[segment.upper].operation if segment.joins else None
        if operation is None or operation.name in ("add", "sub"):
            return None if operation is None else 1.0
        if operation.kind != "join" or not operation.outputs:
            return None
        summaries = [self.summary(entry) for entry in branch.entries]
        counts = [summary.count for summary in summaries if summary is not None]
        return math.sqrt(sum(counts) / math.prod(operation.outputs[0].shape)) if len(counts) == len(summaries) else None

    def _theory(self, draft: LinkDraft, kind: str, places: list[Place]) -> Theory:
        if "region" not in draft.roles:
            elementwise = any(segment.paths for segment in draft.segments)
            theory = of_series(places, self.summary(draft.lower))
            return Theory(expected=None, ideal=theory.ideal) if elementwise else theory
        paths = [branch.record.fields for branch in draft.branches if branch.kind != "bypass"]
        if kind not in ("residual", "sum", "concatenation") or not paths:
            return UNKNOWN
        whole = set(draft.roles) <= {"region", "view"}
        expected = root_sum([path["expected_gain"] for path in paths]) if whole else None
        if kind == "concatenation":
            return Theory(expected=expected, ideal=root_sum([path["ideal_gain"] for path in paths]))
        return of_sum(expected)

    def summary(self, number: int) -> Summary | None:
        """The summary of a place's value, taken once."""
        if number not in self._summaries:
            value = self._value(self._graph.places[number])
            self._summaries[number] = None if value is None else value.summary(self._batch)
        return self._summaries[number]

    def _value(self, place: Place) -> Value | None:
        """The tensor that others take from a place; of a merged one, that which is used outside."""
        targets = {edge.target for a in place.above for edge in self._graph.places[a].edges.get(place.number, ())}
        targets = targets or set(place.members)
        for operation in place.operations:
            for value in operation.outputs:
                if value.node in targets:
                    return value
        return None

    def _dead(self, activation: Place | None, places: list[Place]) -> int | None:
        """Of the activation's own output, or a view of it: dropout would add zeros, a norm would hide them."""
        for place in [] if activation is None else places[places.index(activation) :]:
            if place is not activation and place.kind != "view":
                return None
            value = self._value(place)
            tensor = None if value is None else value.tensor
            if tensor is not None:
                signs = "positive" if activation is not None and activation_name(activation, []) == "relu" else "any"
                read = partial(dead_share, layout=layout_of(places, tensor.ndim), signs=signs)
                return self._ledger.note(read(tensor), Source(value, read, "all"))
        return None

    def _saturated(self, place: Place | None) -> int | None:
        operation = None if place is None else place.operation
        if operation is None or operation.name not in SATURATING or not operation.outputs or function_of(place) is None:
            return None
        value = operation.outputs[0]
        if value.tensor is None:
            return None
        bounds = operation.arguments[1:3] if operation.name == "hardtanh" else ()
        read = partial(saturated_share, name=operation.name, bounds=bounds or (-1.0, 1.0))
        return self._ledger.note(read(value.tensor), Source(value, read))


def _gain(passed: Reading | None, arriving: Reading | None) -> Later:
    """||gradient at the input|| / ||gradient at the output||."""
    return lambda ledger: ratio(ledger.norm(passed), ledger.norm(arriving))


def _steps(recurrent: Operation | None) -> Later:
    """The chain over time of a recurrent layer; None of any other link."""
    call = None if recurrent is None else recurrent.call
    return lambda ledger: None if call is None else ledger.unrolled.get(id(call))
