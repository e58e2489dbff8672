"""Everything about one link that must be seen while tensors are alive: forward statistics, theory, what to read."""

from __future__ import annotations

import math
from collections import Counter
from functools import partial

from evenkeel.chain.activation import IDENTITY, weight_scale
from evenkeel.chain.drafts import FOLLOWING, LEADING, BranchDraft, LinkDraft, flows, region_kind
from evenkeel.chain.features import activation_name, function_of, layout_of, norm_name, width_of
from evenkeel.chain.geometry import contracted, main_weight
from evenkeel.chain.graph import Graph, Place
from evenkeel.chain.ledger import Ledger, Source
from evenkeel.chain.meter import Meter
from evenkeel.chain.naming import Namer
from evenkeel.chain.operations import SATURATING
from evenkeel.chain.pending import PendingBranch, PendingLink, PendingTerm
from evenkeel.chain.reading import Reading
from evenkeel.chain.statistics import Summary, dead_share, saturated_share
from evenkeel.chain.theory import UNKNOWN, Theory, of_series, of_sum, root_product, root_sum
from evenkeel.chain.values import Operation, Value, Weight, summarise_values

_NAMING = ("weighted", "region", "norm", "operation", "activation", "elementwise", "dropout", "view", "spread")
"""What a link is named after, the weightiest first."""


class Surveyor:
    """Looks at drafts one by one, forward statistics and theory now, gradients later."""

    def __init__(
        self, graph: Graph, meter: Meter, ledger: Ledger, namer: Namer, batch: int | None, shared: set[str]
    ) -> None:
        self._graph, self._meter, self._ledger, self._namer = graph, meter, ledger, namer
        self._batch, self._shared = batch, shared
        self._summaries: dict[int, Summary | None] = {}

    def prepare(self, drafts: list[LinkDraft]) -> None:
        """Look at the outputs of many links at once, which is cheaper where they are small."""
        walked = [draft for top in drafts for draft in top.walk()]
        tops = [self._graph.places[draft.upper] for draft in walked if draft.upper > 0 and draft.segments[-1].joins]
        summarise_values([value for value in map(self._value, tops) if value is not None], self._batch)

    def links(self, drafts: list[LinkDraft]) -> list[PendingLink]:
        """All links of a series, no two under one name."""
        links = [self._link(draft) for draft in drafts]
        for alike in (self._whole_name, self._numbered_name):
            uses = Counter(link.name for link in links)
            seen: Counter[str] = Counter()
            for link in links:
                name = link.name
                seen[name] += 1
                link.name = alike(link, seen[name]) if uses[name] > 1 else name
        return links

    def _whole_name(self, link: PendingLink, number: int) -> str:
        """What its paths have in common, else from their first to their last layer: one of two blocks in a module."""
        inside = [place for branch in link.draft.branches for place in branch.places if branch.kind != "bypass"]
        common = self._namer.common(self._graph, inside, link.name)
        return common if common != link.name else self._namer.span(self._graph, inside) or link.name

    @staticmethod
    def _numbered_name(link: PendingLink, number: int) -> str:
        return link.name if number == 1 else f"{link.name}#{number}"

    def _link(self, draft: LinkDraft) -> PendingLink:
        places = [self._graph.places[number] for number in draft.places]
        branches = [self._branch(branch, draft) for branch in draft.branches]
        kind = self._kind(draft, places)
        summary = self.summary(draft.upper) if draft.segments[-1].joins else None
        activation = next((p for p in reversed(places) if p.kind == "activation" and p.operation), None)
        norm = next((p for p in places if p.kind == "norm" and p.operation is not None), None)
        output = self._value(self._graph.places[draft.upper]) if draft.upper > 0 else None
        return PendingLink(
            name=self._name(draft, kind),
            kind=kind,
            draft=draft,
            theory=self._theory(draft, kind, places, branches),
            upper=self._ledger.expect(self._meter.total(draft.entries)),
            lower=self._lower(draft),
            exact_cut=not any(branch.kind == "bypass" for branch in draft.branches),
            forward_norm=self._ledger.note(summary.norm, Source(output, "norm")) if summary else None,
            forward_count=summary.count if summary else 0,
            similarity=self._ledger.note(summary.similarity, Source(output, "similarity")) if summary else None,
            dead=self._dead(activation, places),
            saturated=self._saturated(activation),
            activation=activation_name(activation, draft.roles),
            norm=norm_name(norm),
            width=None if output is None else width_of(output, places),
            terms=[term for place in places for term in self._terms(place, activation)],
            branches=branches,
            recurrent=next((p.operation for p in places if p.kind == "recurrent"), None),
        )

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

    def _lower(self, draft: LinkDraft) -> Reading | None:
        """What this link passes to its input: the whole gradient there if nothing else does, else its own flow."""
        below = self._graph.places[draft.lower]
        if draft.lower == self._graph.sink:
            entries = [number for number in draft.exits if self._graph.places[number].entry]
            return self._ledger.expect(self._meter.total(entries)) if entries else None
        if set(below.above) == set(draft.exits):
            return self._ledger.expect(self._meter.total([draft.lower]))
        return self._ledger.expect(self._meter.flow(flows(self._graph.places, draft.exits, draft.lower)))

    def _branch(self, branch: BranchDraft, draft: LinkDraft) -> PendingBranch:
        links = self.links(branch.drafts)
        share = self._share(branch, draft)
        expected = root_product([share, *(link.theory.expected for link in links)])
        ideal = root_product([share, *(link.theory.ideal for link in links)])
        flow = self._branch_flow(branch, draft)
        fallback = branch.kind if branch.kind == "skip" else "path"
        name = self._namer.common(self._graph, branch.places, fallback)
        return PendingBranch(
            name=name,
            kind=branch.kind,
            links=links,
            flow=flow,
            above=self._leaving(branch) if branch.kind == "bypass" else None,
            expected=expected,
            ideal=ideal,
        )

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

    def _theory(self, draft: LinkDraft, kind: str, places: list[Place], branches: list[PendingBranch]) -> Theory:
        if "region" not in draft.roles:
            elementwise = any(segment.paths for segment in draft.segments)
            found = of_series(places, self.summary(draft.lower))
            return Theory(expected=None, ideal=found.ideal) if elementwise else found
        paths = [branch for branch in branches if branch.kind != "bypass"]
        if kind not in ("residual", "sum", "concatenation") or not paths:
            return UNKNOWN
        expected = root_sum([branch.expected for branch in paths]) if set(draft.roles) <= {"region", "view"} else None
        if kind == "concatenation":
            return Theory(expected=expected, ideal=root_sum([branch.ideal for branch in paths]))
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

    def _terms(self, place: Place, activation: Place | None) -> list[PendingTerm]:
        if place.operation is None or place.kind not in ("linear", "convolution", "embedding", "recurrent"):
            return []
        if place.kind == "recurrent":
            weights = {w.name: w for operation in place.operations for w in operation.weights if "weight" in w.name}
            return [self._term(place, weight, None, weight.tensor.shape[-1] ** -0.5) for weight in weights.values()]
        weight = main_weight(place.operation)
        if weight is None:
            return []
        fan_in = contracted(place.operation, weight) if place.kind != "embedding" else None
        follows = function_of(activation)
        ideal = None if fan_in is None else math.sqrt(weight_scale(follows or IDENTITY) / fan_in)
        return [self._term(place, weight, place.operation, ideal)]

    def _term(self, place: Place, weight: Weight, operation: Operation | None, ideal: float | None) -> PendingTerm:
        value = operation.inputs[0] if operation is not None and operation.inputs else None
        floating = value is not None and (value.tensor is None or value.tensor.is_floating_point())
        summary = value.summary(None) if value is not None and floating else None
        edges = []  # none: the whole gradient of the parameter will do
        if operation is not None and weight.name in self._shared:
            edges = [edge for edge in place.weight_edges if edge.position == weight.position]
        return PendingTerm(
            name=weight.name,
            shape=tuple(weight.tensor.shape),
            mean_square=weight.mean_square,
            ideal_rms=ideal,
            input_norm=self._ledger.note(summary.norm, Source(value, "norm")) if summary else None,
            input_count=summary.count if summary else 0,
            output=self._ledger.expect(self._meter.total([place.number])),
            gradient=self._ledger.expect(self._meter.flow(edges)) if edges else None,
        )
