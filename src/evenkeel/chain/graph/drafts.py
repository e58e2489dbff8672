"""Merge segments into links: one a weighted layer, together with the norm, activation and views that follow it.

A draft names the places of one link; `record` is filled while both passes run and gives the frozen link at the end.
A value that is also used elsewhere is never merged over, so that each link's contribution stays exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from evenkeel.chain.graph.decompose import Path, Segment
from evenkeel.chain.graph.places import Edge, Graph, Place
from evenkeel.chain.link import Branch, Link
from evenkeel.chain.record.operations import ATTENTION
from evenkeel.chain.record.reading import Reading
from evenkeel.chain.record.unfinished import Unfinished

WEIGHTED = frozenset(["linear", "convolution", "embedding", "recurrent"])
FOLLOWING = frozenset(["view", "activation", "elementwise", "dropout"])
"""What a link absorbs after its weights; a norm as well, once."""
LEADING = frozenset(["view", "elementwise", "dropout", "spread"])
"""What a link may begin with, before its weights."""


@dataclass(eq=False, kw_only=True)
class BranchDraft:
    """One parallel path of a link: its own links in forward order, and the places at its two ends."""

    kind: str
    drafts: list[LinkDraft]
    places: list[int]
    entries: list[int]
    exits: list[int]
    record: Unfinished[Branch] = field(default_factory=lambda: Unfinished(Branch))


@dataclass(eq=False, kw_only=True)
class LinkDraft:
    """One link: its segments in forward order, from the value of `lower` up to that of `upper`."""

    segments: list[Segment]
    branches: list[BranchDraft] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    arriving: Reading | None = None
    """The gradient at the link's output."""
    passed: Reading | None = None
    """What the link passes to its input; None where the input takes no gradient."""
    record: Unfinished[Link] = field(default_factory=lambda: Unfinished(Link))

    @property
    def lower(self) -> int:
        """The place of the value that goes in."""
        return self.segments[0].lower

    @property
    def upper(self) -> int:
        """The place of the value that comes out."""
        return self.segments[-1].upper

    @property
    def exits(self) -> list[int]:
        """The places whose gradients flow into the input."""
        return self.segments[0].exits

    @property
    def entries(self) -> list[int]:
        """Where the gradient comes in: the branches' own places where the join above is no part of this link."""
        last = self.segments[-1]
        return [last.upper] if last.joins else last.entries

    @property
    def places(self) -> list[int]:
        """The places whose operations the link consists of, in forward order, those in branches left out."""
        return [segment.upper for segment in self.segments if segment.joins]

    def walk(self) -> Iterator[LinkDraft]:
        """The draft itself and all those in its branches."""
        yield self
        for branch in self.branches:
            for draft in branch.drafts:
                yield from draft.walk()


class Assembler:
    """Turns the segments of a graph into drafts of links."""

    def __init__(self, graph: Graph) -> None:
        self._places = graph.places

    def links(self, segments: list[Segment]) -> list[LinkDraft]:
        """Drafts in forward order of a series that is given in the order of the gradient."""
        drafts: list[LinkDraft] = []
        for segment in reversed(segments):
            if self._places[segment.upper].entry and not segment.paths:
                continue  # the copy that the model was given: where the first link begins
            role = self._role(segment)
            if drafts and self._absorbs(drafts[-1], segment, role):
                drafts[-1].segments.append(segment)
                drafts[-1].roles.append(role)
            else:
                drafts.append(LinkDraft(segments=[segment], roles=[role]))
            drafts[-1].branches += self._branches(segment, role)
        return drafts

    def _role(self, segment: Segment) -> str:
        """What a segment is to its neighbours: a start, a norm, or something that follows."""
        if segment.paths:
            return "activation" if self._is_elementwise(segment) else "region"
        kind = self._places[segment.upper].kind
        if kind in WEIGHTED:
            return "weighted"
        return kind if kind in FOLLOWING | {"norm", "spread"} else "operation"

    def _is_elementwise(self, segment: Segment) -> bool:
        """Parallel paths without weights and without mixing of units: an activation written out, `x * sigmoid(x)`."""
        inside = [segment.upper, *(place for path in segment.paths for place in path.places)]
        kinds = {self._places[place].kind for place in inside}
        return segment.joins and kinds <= FOLLOWING and self._places[segment.upper].kind != "view"

    def _absorbs(self, draft: LinkDraft, segment: Segment, role: str) -> bool:
        if segment.bypasses or not self._exclusive(segment):
            return False
        if role in FOLLOWING:
            return True
        if role == "norm":
            return "weighted" in draft.roles and "norm" not in draft.roles
        return all(earlier in LEADING for earlier in draft.roles)

    def _exclusive(self, segment: Segment) -> bool:
        return set(self._places[segment.lower].above) == set(segment.exits)

    def _branches(self, segment: Segment, role: str) -> list[BranchDraft]:
        parallel = segment.paths if role == "region" and self._tells(segment) else []
        drafts = [self._branch(path, "path") for path in parallel]
        return drafts + [self._branch(path, "bypass") for path in segment.bypasses]

    def _tells(self, segment: Segment) -> bool:
        """Whether parallel paths are worth showing: they hold weights, or are summed or put side by side."""
        inside = [place for path in segment.paths for place in path.places]
        operation = self._places[segment.upper].operation if segment.joins else None
        joined = operation is not None and (operation.kind == "join" or operation.name in ("add", "sub"))
        return joined or any(self._places[place].kind in WEIGHTED | {"norm"} for place in inside)

    def _branch(self, path: Path, kind: str) -> BranchDraft:
        drafts = self.links(path.segments)
        kinds = {self._places[place].kind for place in path.places}
        if kind == "path" and kinds <= {"view", "dropout"}:
            kind, drafts = "skip", []
        return BranchDraft(kind=kind, drafts=drafts, places=path.places, entries=path.entries, exits=path.exits)


def flows(places: list[Place], sources: list[int], target: int) -> list[Edge]:
    """The edges from some places into one."""
    return [edge for source in sources for edge in places[source].edges.get(target, ())]


def region_kind(graph: Graph, draft: LinkDraft) -> str:
    """What joins parallel paths: a residual sum, a concatenation, attention, a product, or nothing."""
    segment = next(segment for segment in draft.segments if segment.paths)
    operation = graph.places[segment.upper].operation if segment.joins else None
    if operation is None:
        return "parallel"
    inside = [graph.places[place] for path in segment.paths for place in path.places]
    softmax = any(place.operation is not None and "softmax" in place.operation.name for place in inside)
    if operation.name in ATTENTION or (operation.kind == "linear" and softmax):
        return "attention"
    if operation.name in ("add", "sub"):
        return "residual" if any(branch.kind == "skip" for branch in draft.branches) else "sum"
    if operation.kind == "join":
        return "concatenation"
    return "product" if operation.name in ("mul", "bmm", "mm") else "parallel"
