import sys

import pytest
import torch

from _unchecked import unchecked
from evenkeel.errors import DataError, RequestError, ShapeError
from evenkeel.nets.graph_wiring import check_graph, count_graphs, graph_library, with_self

NODES, EDGES, GRAPH = torch.zeros(4, 3), torch.tensor([[0, 1], [1, 2]]), torch.tensor([0, 0, 1, 1])


def test_the_shares_are_those_of_the_normalised_adjacency():
    """D^-1/2 (A + I) D^-1/2 of the paper, entry by entry, with self-loops that were there replaced."""
    edges = torch.tensor([[0, 1, 1, 2, 2, 3, 0], [1, 0, 2, 1, 2, 0, 1]])
    adjacency = torch.zeros(5, 5, dtype=torch.float64)
    for source, target in edges.T.tolist():
        adjacency[target, source] += source != target
    adjacency += torch.eye(5)
    degree = adjacency.sum(1)
    expected = adjacency / (degree[:, None] * degree).sqrt()
    found = torch.zeros(5, 5, dtype=torch.float64)
    (source, target), weight = with_self(edges, torch.zeros(5, 2, dtype=torch.float64))
    found.index_put_((target, source), weight, accumulate=True)
    torch.testing.assert_close(found, expected)


def test_a_hub_is_counted_in_half_precision_too():
    spokes = torch.stack((torch.arange(1, 4097), torch.zeros(4096, dtype=torch.int64)))
    _, weight = with_self(spokes, torch.zeros(4097, 1, dtype=torch.float16))
    assert weight[4096].item() == pytest.approx(1 / 4097)


def test_how_many_graphs_there_are():
    assert count_graphs(None, None) == 1 and count_graphs(None, 3) == 3
    assert count_graphs(GRAPH, None) == 2 and count_graphs(GRAPH, 5) == 5
    assert count_graphs(GRAPH[:0], None) == 0
    with pytest.raises(DataError, match="graphs=1, but nodes are of graph 1; try graphs=2"):
        count_graphs(GRAPH, 1)


@pytest.mark.parametrize(
    "nodes, edges, graph, error, message",
    [
        (torch.zeros(4, 2), EDGES, GRAPH, ShapeError, r"of shape \(node, 3\), got torch.float32 of shape \(4, 2\)"),
        (torch.zeros(4), EDGES, GRAPH, ShapeError, r"got torch.float32 of shape \(4,\)"),
        (NODES.long(), EDGES, GRAPH, ShapeError, r"got torch.int64 .* try nodes.float\(\)"),
        (NODES, EDGES.T[:1], GRAPH, ShapeError, r"int64 of shape \(2, edge\), .* got torch.int64 of shape \(1, 2\)"),
        (NODES, EDGES.float(), GRAPH, ShapeError, "got torch.float32"),
        (NODES, EDGES[0], GRAPH, ShapeError, r"of shape \(2,\); try edges.T"),
        (NODES, EDGES, GRAPH[:3], ShapeError, r"int64 of shape \(4,\), .* got torch.int64 of shape \(3,\)"),
        (NODES, EDGES, GRAPH.float(), ShapeError, "got torch.float32"),
        (NODES, EDGES + 2, GRAPH, DataError, "join the 4 nodes 0 to 3, got 2 to 4; where graphs stand side by side"),
        (NODES, EDGES - 1, GRAPH, DataError, "got -1 to 1"),
        (NODES, EDGES, torch.tensor([0, 1, 0, 1]), DataError, "the nodes of each graph together; .* try sorting"),
        (NODES, EDGES, torch.tensor([-1, 0, 0, 1]), DataError, "numbers from -1 to 1"),
    ],
)
def test_what_is_no_graph_is_refused(nodes, edges, graph, error, message):
    with unchecked(), pytest.raises(error, match=message):
        check_graph(nodes, edges, graph, 3)


def test_what_is_a_graph_passes():
    check_graph(NODES, EDGES, GRAPH, 3)
    check_graph(NODES, torch.empty(2, 0, dtype=torch.int64), None, 3)
    check_graph(NODES[:0], torch.empty(2, 0, dtype=torch.int64), GRAPH[:0], 3)
    check_graph(NODES, EDGES, torch.tensor([0, 2, 2, 5]), 3)


def test_without_the_library_one_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_geometric.nn", None)
    with pytest.raises(RequestError, match=r"a GNN needs torch_geometric; try: pip install 'evenkeel\[graphs\]'"):
        graph_library()
    monkeypatch.undo()
    assert graph_library().GCNConv
