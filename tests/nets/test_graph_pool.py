import pytest
import torch

from _unchecked import unchecked
from evenkeel.errors import RequestError
from evenkeel.nets.graph_pool import POOLINGS, GraphPool
from evenkeel.nets.graph_wiring import GraphWiring

# Graph 1 and graph 4 have no nodes.
GRAPH = torch.tensor([0, 0, 0, 2, 3, 3])
WIRING = GraphWiring(edges=torch.empty(2, 0, dtype=torch.int64), weight=None, graph=GRAPH, graphs=5)


@pytest.mark.parametrize("pooling", [pooling for pooling in POOLINGS if pooling])
def test_pooling_agrees_with_its_slow_twin(pooling):
    hidden, pool = torch.randn(6, 4, dtype=torch.float64), GraphPool(pooling, 4).double()
    if pool.query is not None:
        torch.nn.init.normal_(pool.query)

    def twin(rows):
        if pooling != "attention":
            return {"mean": rows.mean, "sum": rows.sum, "max": rows.amax}[pooling](0)
        return (rows @ pool.query).softmax(0) @ rows

    found = pool(hidden, WIRING)
    for number in range(5):
        rows = hidden[number == GRAPH]
        torch.testing.assert_close(found[number], twin(rows) if len(rows) else torch.zeros(4).double())
    one = GraphWiring(edges=WIRING.edges, weight=None, graph=None, graphs=1)
    torch.testing.assert_close(pool(hidden, one), twin(hidden).unsqueeze(0))


def test_attention_begins_as_the_mean_and_does_not_overflow():
    hidden = torch.randn(6, 4)
    torch.testing.assert_close(GraphPool("attention", 4)(hidden, WIRING), GraphPool("mean", 4)(hidden, WIRING))
    sharp = GraphPool("attention", 4)
    torch.nn.init.constant_(sharp.query, 1e4)
    assert sharp(hidden, WIRING).isfinite().all()


@pytest.mark.parametrize("pooling", [pooling for pooling in POOLINGS if pooling])
def test_the_gradient_is_that_of_the_slow_twin(pooling):
    hidden = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    pool = GraphPool(pooling, 4).double()
    assert torch.autograd.gradcheck(lambda rows: pool(rows, WIRING), hidden)


def test_without_pooling_every_node_keeps_its_own():
    hidden = torch.randn(6, 4)
    assert GraphPool(None, 4)(hidden, WIRING) is hidden


def test_another_pooling_is_refused():
    with (
        unchecked(),
        pytest.raises(RequestError, match="one of 'mean', 'sum', 'max', 'attention', None; got 'last'"),
    ):
        GraphPool("last", 4)
