import numpy as np
import pytest

from _graph_sets import ring_or_path
from evenkeel.page.layout import APART, distances, places


def stress(found, wanted):
    apart = np.linalg.norm(found[:, None] - found, axis=2)
    off = ~np.eye(len(found), dtype=bool)
    return (((apart - wanted) / np.where(off, wanted, 1)) ** 2)[off].mean()


@pytest.mark.parametrize("seed", [0, 1])
def test_distances_are_those_of_breadth_first_search(seed):
    generator = np.random.default_rng(seed)
    edges = generator.integers(0, 12, size=(2, 14))
    near = [{int(b) for a, b in np.concatenate([edges, edges[::-1]], 1).T if a == node} for node in range(12)]
    expected = np.full((12, 12), np.inf)
    for start in range(12):
        reached, now, steps = set(), {start}, 0
        while now:
            expected[start, list(now)] = steps
            reached |= now
            now, steps = {other for node in now for other in near[node]} - reached, steps + 1
    finite = np.isfinite(expected)
    expected[~finite] = expected[finite].max() + APART
    assert np.array_equal(distances(edges, 12), expected)


def test_a_path_lies_straight_and_a_ring_round():
    line = places(ring_or_path(6, False), 6)
    assert np.linalg.norm(line[0] - line[5]) == pytest.approx(5, rel=0.05)
    ring = np.linalg.norm(places(ring_or_path(8, True), 8), axis=1)
    assert ring.std() < 0.05 * ring.mean()


@pytest.mark.parametrize("size", [2, 3, 9, 25])
def test_it_is_nearer_to_what_is_wanted_than_a_circle(size):
    generator = np.random.default_rng(size)
    edges = np.stack([np.arange(1, size), generator.integers(0, np.arange(1, size))])
    found, wanted = places(edges, size), distances(edges, size)
    turn = 2 * np.pi * np.arange(size) / size
    circle = np.stack((np.cos(turn), np.sin(turn)), axis=1) * wanted.max() / 2
    assert stress(found, wanted) <= stress(circle, wanted) + 1e-9
    assert stress(found, wanted) < 0.15
    assert np.array_equal(found, places(edges, size))


def test_one_node_and_nodes_without_edges_have_a_place():
    assert places(np.empty((2, 0), int), 1).tolist() == [[0, 0]]
    apart = places(np.empty((2, 0), int), 3)
    assert np.isfinite(apart).all() and len(np.unique(apart.round(3), axis=0)) == 3
