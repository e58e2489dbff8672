"""Cut a graph into a series of segments, with parallel paths nested, and name what bypasses.

A place is a *cut point* when every path from source to sink passes it: in any topological order, no edge jumps over it.
Between two cut points lie parallel paths, one connected component each, cut in turn. Where a component has no cut point
(a loop over time, lists of features that are concatenated, a memory read by every decoder layer), its longest path, in
weighted layers, is the *spine*; what leaves the spine and joins it again further down is a *bypass*.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from evenkeel.chain.graph.places import Graph

DEEPEST_NESTING = 3
"""Parallel regions with a common lower end are nested so deep at most; beyond (a loop over time), comes the spine."""


@dataclass(eq=False, kw_only=True)
class Path:
    """One of several parallel paths: its segments in the order of the gradient, and the places that it consists of.

    `entries` are the places that the joining operation feeds, `exits` those that feed the lower end.
    """

    segments: list[Segment]
    places: list[int]
    entries: list[int]
    exits: list[int]


@dataclass(eq=False, kw_only=True)
class Segment:
    """From the value of place `upper` down to that of `lower`; without paths, `upper`'s own operation alone.

    `joins` says whether the operation of `upper` belongs to this segment; it does not at the head of a parallel path,
    where it is the join that all the paths share. `exits` are the places whose gradients flow into `lower` here;
    `bypasses` lead there from further up.
    """

    upper: int
    lower: int
    joins: bool
    exits: list[int]
    entries: list[int] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    bypasses: list[Path] = field(default_factory=list)


def decompose(graph: Graph, weighted: Callable[[int], bool]) -> list[Segment]:
    """The top level of the chain, from the source (place 0) to the sink, with everything parallel nested inside."""
    return _Cutter(graph, weighted).series(0, graph.sink, range(1, graph.sink))


class _Cutter:
    def __init__(self, graph: Graph, weighted: Callable[[int], bool]) -> None:
        self._below: dict[int, Sequence[int]] = {place.number: place.below for place in graph.places}
        self._above = {place.number: place.above for place in graph.places}
        self._weighted = weighted

    def series(self, upper: int, lower: int, inner: Iterable[int]) -> list[Segment]:
        """Segments from `upper` to `lower` through the places `inner`; the first is left out if it says nothing.

        A direct edge from `upper` to `lower` is no part of it: that is another of the parallel paths.
        """
        done: list[Segment] = []
        bypasses: dict[tuple[int, int], list[Path]] = {}
        waiting = [(upper, lower, sorted(inner))]
        while waiting:
            top, bottom, between = waiting.pop()
            if not between:
                done.append(self._segment(top, bottom, [], joins=top != upper))
                continue
            whole = (top, bottom) == (upper, lower)
            direct = bottom in self._below[top] and not whole
            cuts = self._cuts(top, bottom, between, direct=direct)
            components = self._components(between)
            if len(cuts) > 2:
                waiting.extend(reversed(_pieces(cuts, between)))
            elif (len(components) == 1 and not direct) or self._nested(top, bottom, components) >= DEEPEST_NESTING:
                last, rest, sides = self._peel(top, bottom, between, direct=direct)
                bypasses[last, bottom] = sides
                waiting += [(last, bottom, []), (top, last, rest)]
            else:
                done.append(self._segment(top, bottom, components, joins=top != upper))
        for segment in done:
            segment.bypasses = bypasses.get((segment.upper, segment.lower), [])
        return [segment for segment in done if segment.joins or segment.paths]

    def _cuts(self, upper: int, lower: int, inner: list[int], *, direct: bool) -> list[int]:
        """`upper`, every place of `inner` that no edge jumps over, `lower`."""
        if direct and inner:
            return [upper, lower]
        allowed = set(inner)
        cuts: list[int] = [upper]
        reach = max([upper, *(below for below in self._below[upper] if below in allowed)])
        allowed.add(lower)
        for place in [*inner, lower]:
            if reach <= place:
                cuts.append(place)
            reach = max([reach, *(below for below in self._below[place] if below in allowed)])
        return cuts

    def _segment(self, top: int, bottom: int, components: list[list[int]], *, joins: bool) -> Segment:
        if not components:
            return Segment(upper=top, lower=bottom, joins=joins, exits=[top])
        paths = [self._path(top, bottom, component) for component in components]
        if bottom in self._below[top]:
            paths.insert(0, Path(segments=[], places=[], entries=[bottom], exits=[top]))
        exits = sorted({place for path in paths for place in path.exits})
        entries = sorted({place for path in paths for place in path.entries})
        return Segment(upper=top, lower=bottom, joins=joins, exits=exits, entries=entries, paths=paths)

    def _path(self, top: int, bottom: int, component: list[int]) -> Path:
        return Path(
            segments=self.series(top, bottom, component),
            places=component,
            entries=[place for place in component if place in self._below[top]],
            exits=[place for place in component if bottom in self._below[place]],
        )

    def _components(self, inner: list[int]) -> list[list[int]]:
        """Connected components of `inner` by the edges among its own places, in topological order."""
        leader = {place: place for place in inner}
        for place in inner:
            for below in self._below[place]:
                if below in leader:
                    leader[_lead(leader, below)] = _lead(leader, place)
        groups: dict[int, list[int]] = {}
        for place in inner:
            groups.setdefault(_lead(leader, place), []).append(place)
        return list(groups.values())

    def _nested(self, top: int, bottom: int, components: list[list[int]]) -> int:
        """How many parallel regions that all end in `bottom` lie inside one another, counted up to the limit."""
        for depth in range(DEEPEST_NESTING):
            tails = [self._tail(top, bottom, component) for component in components]
            top, inner = max(tails, key=lambda tail: len(tail[1]), default=(top, []))
            if not inner:
                return depth
            components = self._components(inner)
        return DEEPEST_NESTING

    def _tail(self, top: int, bottom: int, component: list[int]) -> tuple[int, list[int]]:
        """The lowest cut point of a component, and what lies between it and `bottom`."""
        cut = self._cuts(top, bottom, component, direct=False)[-2]
        return cut, [] if cut == top else [place for place in component if place > cut]

    def _peel(self, top: int, bottom: int, inner: list[int], *, direct: bool) -> tuple[int, list[int], list[Path]]:
        """The last place of the spine, what leads to it, and the bypasses: all other ways into `bottom`."""
        last = self._spine_end(top, bottom, inner)
        reaching = self._reaching(last, inner)
        sides = [self._side(bottom, part) for part in self._components([p for p in inner if p not in reaching])]
        for place in inner:
            if place in reaching and place != last and bottom in self._below[place]:
                sides.append(Path(segments=[], places=[], entries=[bottom], exits=[place]))
        if direct:
            sides.append(Path(segments=[], places=[], entries=[bottom], exits=[top]))
        return last, [place for place in inner if place in reaching and place != last], sides

    def _spine_end(self, top: int, bottom: int, inner: list[int]) -> int:
        """The place before `bottom` on the path from `top` with the most weighted layers, then the most places."""
        best: dict[int, tuple[int, int, int]] = {}
        for place in reversed(inner):
            options = [best[below] for below in self._below[place] if below in best]
            if bottom in self._below[place]:
                options.append((0, 0, place))
            layers, length, end = max(options)
            best[place] = (layers + self._weighted(place), length + 1, end)
        return max(best[below] for below in self._below[top] if below in best)[2]

    def _reaching(self, target: int, inner: list[int]) -> set[int]:
        reaching = {target}
        for place in reversed(inner):
            if any(below in reaching for below in self._below[place]):
                reaching.add(place)
        return reaching

    def _side(self, bottom: int, component: list[int]) -> Path:
        """A part that reaches `bottom` beside the spine; a stand-in plays the several places that feed from it."""
        inside = set(component)
        entries = [place for place in component if any(above not in inside for above in self._above[place])]
        stand_in = min(self._below) - 1
        self._below[stand_in] = entries
        return self._path(stand_in, bottom, component)


def _pieces(cuts: list[int], inner: list[int]) -> list[tuple[int, int, list[int]]]:
    return [
        (top, bottom, inner[bisect_right(inner, top) : bisect_left(inner, bottom)]) for top, bottom in pairwise(cuts)
    ]


def _lead(leader: dict[int, int], place: int) -> int:
    while leader[place] != place:
        leader[place] = leader[leader[place]]
        place = leader[place]
    return place
