import pytest
import torch

from _unchecked import unchecked
from evenkeel.errors import RequestError, ShapeError
from evenkeel.nets.graph_norm import NODE_NORMS, NodeNorm
from evenkeel.nets.graph_wiring import GraphWiring
from nets._graphs import some_graphs

NODES, EDGES, GRAPH = some_graphs()
WIRING = GraphWiring(edges=EDGES, weight=None, graph=GRAPH, graphs=4)


def standard(rows, axis):
    wide = rows.double()
    centred = wide - wide.mean(axis, keepdim=True)
    return (centred / (centred.square().mean(axis, keepdim=True) + 1e-5).sqrt()).float()


def test_each_norm_takes_its_own_axes_and_no_other():
    hidden = torch.randn(16, 8) * 3 + 1
    found = {kind: NodeNorm(kind, 8)(hidden, WIRING) for kind in NODE_NORMS}
    torch.testing.assert_close(found["layer"], standard(hidden, 1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found["batch"], standard(hidden, 0), atol=1e-4, rtol=1e-4)
    graphs = torch.cat([standard(hidden[number == GRAPH], 0) for number in range(4)])
    torch.testing.assert_close(found["graph"], graphs, atol=1e-4, rtol=1e-4)
    assert torch.equal(NodeNorm(None, 8)(hidden, WIRING), hidden)


def test_without_graphs_all_nodes_are_of_one():
    hidden, one = torch.randn(16, 8), GraphWiring(edges=EDGES, weight=None, graph=None, graphs=1)
    torch.testing.assert_close(NodeNorm("graph", 8)(hidden, one), standard(hidden, 0), atol=1e-4, rtol=1e-4)


def test_batch_norm_predicts_by_its_moving_averages():
    norm, hidden = NodeNorm("batch", 8), torch.randn(16, 8) + 3
    for _ in range(200):
        norm(hidden, WIRING)
    norm.eval()
    spread = hidden.var(0)
    torch.testing.assert_close(
        norm(hidden[:1], WIRING), (hidden[:1] - hidden.mean(0)) / (spread + 1e-5).sqrt(), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize(
    "kind, message",
    [
        ("instance", "needs an axis to normalise over, and a node's unit has none; try norm='graph'"),
        ("rms", "norm must be one of 'layer', 'batch', 'graph', None; got 'rms'"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(kind, message):
    with unchecked(), pytest.raises(RequestError, match=message):
        NodeNorm(kind, 8)


def test_batch_norm_of_one_node_is_refused_while_training():
    norm = NodeNorm("batch", 8)
    with pytest.raises(ShapeError, match=r"batch norm needs more than one node .* try norm='layer'"):
        norm(torch.zeros(1, 8), WIRING)
    assert norm.eval()(torch.zeros(1, 8), WIRING).shape == (1, 8)
