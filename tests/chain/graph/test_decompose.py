"""Cut points against their definition: take the place away, and nothing reaches the sink."""

import random

import pytest

from evenkeel.chain.graph.decompose import decompose
from evenkeel.chain.graph.places import Graph, Place


def graph_from(below):
    """A graph from the places that each place leads to; 0 is the source, the last the sink."""
    places = [
        Place(number=n, members=[n], operation=None, operations=[], kind="", below=list(b)) for n, b in enumerate(below)
    ]
    for place in places:
        for number in place.below:
            places[number].above.append(place.number)
    return Graph(places=places)


def reaches(below, start, target, without):
    if start == without:
        return False
    return start == target or any(reaches(below, n, target, without) for n in below[start])


def random_graph(seed):
    """Every place lies on a path from source to sink."""
    chance, count = random.Random(seed), 9
    below = [sorted({n + 1, *(m for m in range(n + 1, count) if chance.random() < 0.25)}) for n in range(count)]
    below = [[min(n, count) for n in row] for row in below]
    below[count - 1] = [count]
    return [*below, []]


@pytest.mark.parametrize("seed", range(25))
def test_top_level_ends_are_exactly_the_cut_points_where_all_are_exact(seed):
    below = random_graph(seed)
    sink = len(below) - 1
    segments = decompose(graph_from(below), lambda number: True)
    cuts = {n for n in range(1, sink) if not reaches(below, 0, sink, without=n)}
    ends = {segment.upper for segment in segments} - {0}
    assert cuts <= ends
    if not any(segment.bypasses for segment in segments):
        assert ends == cuts


@pytest.mark.parametrize("seed", range(25))
def test_every_place_is_found_once(seed):
    below = random_graph(seed)

    def places(segments):
        for segment in segments:
            if segment.joins:
                yield segment.upper
            for path in (*segment.paths, *segment.bypasses):
                yield from places(path.segments)

    found = sorted(places(decompose(graph_from(below), lambda number: True)))
    assert found == list(range(1, len(below) - 1))


def test_a_residual_block_has_a_skip_and_a_path():
    segments = decompose(graph_from([[1], [2, 4], [3], [4], [5], []]), lambda number: True)
    join = segments[0]
    assert (join.upper, join.lower, join.exits) == (1, 4, [1, 3])
    assert [path.places for path in join.paths] == [[], [2, 3]]
    assert join.paths[1].entries == [2] and join.paths[1].exits == [3]


def test_a_loop_over_time_becomes_its_spine():
    """h_t = f(h_{t-1}, x): each step joins the input on its own."""
    steps = 40
    below = [[1], *([n + 1, steps + 1] for n in range(1, steps)), [steps + 1], [steps + 2], []]
    segments = decompose(graph_from(below), lambda number: True)
    assert [segment.upper for segment in segments] == list(range(1, steps + 2))
    last = segments[-2]
    assert (last.upper, last.lower) == (steps, steps + 1)
    assert len(last.bypasses) == steps - 1


def test_five_hundred_layers_of_blocks_need_no_recursion():
    below = [[1]]
    for n in range(1, 1500, 3):
        below += [[n + 1, n + 3], [n + 2], [n + 3]]
    below += [[len(below) + 1], []]
    assert len(decompose(graph_from(below), lambda number: False)) == 501
