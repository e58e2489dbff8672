import numpy as np
import pytest
import torch

from evenkeel.errors import DataError
from evenkeel.kinds.graph.edges import as_edges, check_edges, clean_edges, join_edges, layout_of


@pytest.mark.parametrize("form", [np.array, torch.tensor, list])
def test_edges_may_lie_either_way(form):
    wide = form([[0, 1, 2], [1, 2, 0]])
    tall = form([[0, 1], [1, 2], [2, 0]])
    assert torch.equal(as_edges(wide), as_edges(tall))
    assert as_edges(wide).dtype == torch.int64


def test_no_edges_are_edges():
    assert as_edges([]).shape == as_edges(np.empty((0, 2))).shape == (2, 0)


def test_whole_numbers_may_be_floats():
    edges = np.array([[0, 1, 2], [1, 2, 0]])
    assert torch.equal(as_edges(edges.astype(np.float32)), as_edges(edges))


def test_two_edges_are_read_by_the_layout():
    assert as_edges([[0, 1], [2, 3]]).tolist() == [[0, 1], [2, 3]]
    assert as_edges([[0, 1], [2, 3]], "standing").tolist() == [[0, 2], [1, 3]]
    assert as_edges([[0, 1, 2], [1, 2, 0]], "standing").tolist() == [[0, 1, 2], [1, 2, 0]]


@pytest.mark.parametrize(
    "shapes, expected",
    [
        ([(2, 2), (2, 5)], "lying"),
        ([(2, 2), (5, 2)], "standing"),
        ([(2, 2), (1, 2)], "standing"),
        ([(2, 2), (2, 2)], "lying"),
        ([(2, 2), (0, 2)], "lying"),
        ([(2, 5), (5, 2)], "lying"),
        ([], "lying"),
    ],
)
def test_the_layout_is_that_of_the_graphs_that_can_be_told(shapes, expected):
    assert layout_of([np.zeros(shape, int) for shape in shapes]) == expected


def test_the_layout_is_the_usual_one_where_none_can_be_told():
    either = [np.zeros((2, 2), int), np.empty((2, 0), int)]
    assert layout_of(either, "standing") == "standing" and layout_of(either, "lying") == "lying"
    assert layout_of([np.zeros((2, 3), int), *either], "standing") == "lying"


def test_edges_that_lie_and_stand_leave_two_edges_in_doubt():
    with pytest.raises(DataError, match=r"graph 0 has \(2, 3\) and graph 1 \(3, 2\), and graph 2 could be either"):
        layout_of([np.zeros(shape, int) for shape in ((2, 3), (3, 2), (2, 2))])


@pytest.mark.parametrize(
    "wrong",
    [[[0.5, 1.0], [1.0, 2.0]], [0, 1, 2], [[0, 1, 2]] * 3, [[0, 1], [1]], [[0.0, np.nan]] * 2, [["a", "b"]] * 2],
)
def test_what_is_no_edge_is_refused(wrong):
    with pytest.raises(DataError, match=r"edges must be whole numbers of shape \(2, edge\).*got"):
        as_edges(wrong)


@pytest.mark.parametrize("edges", [[[0, 1, 4], [1, 2, 0]], [[0, -1], [1, 2]]])
def test_an_edge_to_nowhere_is_named(edges):
    with pytest.raises(DataError, match=r"graph 3: 1 edge\(s\) lead to a node .* there are the nodes 0 to 3"):
        check_edges(torch.tensor(edges), 4, "graph 3")


def test_joined_edges_stay_within_their_graph():
    joined = join_edges(
        [torch.tensor([[0], [1]]), torch.empty(2, 0, dtype=torch.int64), torch.tensor([[2], [0]])], [2, 1, 3]
    )
    assert joined.tolist() == [[0, 5], [1, 3]]
    with pytest.raises(DataError, match=r"graph 1: 1 edge\(s\) .* such as 2 to 0; there are the nodes 0 to 1"):
        join_edges([torch.tensor([[0], [1]]), torch.tensor([[2], [0]])], [2, 2])


@pytest.mark.parametrize("ways", ["auto", "directed"])
@pytest.mark.parametrize("seed", [0, 1])
def test_clean_edges_are_a_set_of_pairs(ways, seed):
    torch.manual_seed(seed)
    edges = torch.randint(12, (2, 60))
    pairs = {(a, b) for a, b in edges.T.tolist() if a != b}
    expected = pairs | {(b, a) for a, b in pairs} if ways == "auto" else pairs
    cleaned = clean_edges(edges, 12, ways)
    assert [tuple(pair) for pair in cleaned.edges.T.tolist()] == sorted(expected)
    loops = sum(a == b for a, b in edges.T.tolist())
    twice = 60 - loops - len(pairs)
    notes = [
        f"{loops} edges lead from a node to itself and are left out.",
        f"{twice} edge(s) stand there more than once; each counts once.",
    ]
    if ways == "auto":
        notes.append(
            f"{len(expected) - len(pairs)} edge(s) given one way go both ways "
            "(edges='directed' keeps them as they are)."
        )
    assert list(cleaned.notes) == notes


def test_nothing_is_said_of_edges_that_are_clean():
    edges = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    assert clean_edges(edges, 3, "auto").notes == ()
    assert torch.equal(clean_edges(edges, 3, "auto").edges, edges)
    assert clean_edges(torch.empty(2, 0, dtype=torch.int64), 0, "auto").edges.shape == (2, 0)
