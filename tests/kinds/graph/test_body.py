import numpy as np
import pytest
import torch
from torch import nn

from _graph_sets import as_data, communities, some_rings
from evenkeel.data.fields import pick
from evenkeel.errors import RequestError
from evenkeel.kinds.base import Build, DataRequest, NetShape
from evenkeel.kinds.graph import nodes as node_features
from evenkeel.kinds.graph.body import GraphBody, graph_body
from evenkeel.kinds.graph.kind import GraphOptions, graph_recipe, prepare_graphs
from evenkeel.plan import make_plan

RINGS = ([graph[:2] for graph in some_rings(20)], [graph[2] for graph in some_rings(20)])


def build(data, given=None, **settings):
    """What a body is built from, and its dataset."""
    prepared = prepare_graphs(data, DataRequest(options=GraphOptions()))
    recipe = dict(graph_recipe("gnn", prepared.dataset, prepared.choice))
    recipe["net_options"] = {**recipe["net_options"], **settings.pop("net_options", {})}
    plan = make_plan("single-label", rows=14, settings={"net": "gnn", "width": 8, **settings}, recipe=recipe)
    dataset = prepared.dataset
    made = Build(
        plan=plan, part=None, given=given, schema=dataset.schema, target=dataset.target_schema, shape=NetShape()
    )
    return made, dataset


@pytest.fixture
def sparse(monkeypatch):
    """Some people known by a few words each, kept as places and values."""
    monkeypatch.setattr(node_features, "SPARSE_FROM", 1)
    arrays = communities(40)
    arrays["x"] = (np.random.default_rng(0).random((40, 50)) < 0.05).astype(np.float32)
    return arrays


class Mean(nn.Module):
    """A net of one's own: nodes alone, and their mean over a graph where there are several."""

    def __init__(self, channels):
        super().__init__()
        self.linear = nn.Linear(channels, 5)

    def forward(self, x, edge_index, batch=None):
        hidden = self.linear(x)
        if batch is None:
            return hidden
        count = int(batch.max()) + 1
        return hidden.new_zeros(count, 5).index_add(0, batch, hidden)


def test_graphs_have_features_and_so_have_the_nodes_that_are_asked_about():
    made, dataset = build(RINGS)
    body = graph_body(made)
    assert body.module(**pick(dataset.inputs, torch.arange(4))).shape == (4, body.features) == (4, 8)
    made, dataset = build(as_data(communities(30)))
    body = graph_body(made).module.eval()
    every = body(**pick(dataset.inputs, torch.arange(30)))
    some = body(**pick(dataset.inputs, torch.tensor([7, 3])))
    assert every.shape == (30, 8) and torch.equal(some, every[[7, 3]])


def test_places_and_values_are_the_matrix_they_stand_for(sparse):
    made, dataset = build(as_data(sparse))
    assert "values" in dataset.inputs
    body = graph_body(made).module.eval()
    batch = pick(dataset.inputs, torch.arange(40))
    edges, rows = batch["edges"], batch["rows"]
    nodes = torch.from_numpy(sparse["x"]) / dataset.schema.nodes.size
    assert torch.equal(body(**batch), body(edges=edges, rows=rows, nodes=nodes))


def test_dropout_of_sparse_nodes_is_that_of_all(sparse):
    """Each value is 0 or scaled up, as often as it should be, and the net does not drop them once more."""
    made, dataset = build(as_data(sparse), dropout=0.75)
    body = graph_body(made).module
    assert (body.dropout, body.net.input_dropout, body.net.dropout) == (0.75, 0.0, 0.75)
    seen = []
    body.net = nn.Sequential()
    body.net.forward = lambda nodes, edges: seen.append(nodes) or nodes
    batch = pick(dataset.inputs, torch.arange(40))
    for _ in range(100):
        body(**batch)
    passed, scaled = torch.stack(seen), torch.from_numpy(sparse["x"]) / dataset.schema.nodes.size
    kept = passed != 0
    assert not kept[:, scaled == 0].any()
    torch.testing.assert_close(passed[kept], (4 * scaled).expand_as(passed)[kept])
    drawn = 100 * int((scaled != 0).sum())
    assert kept.sum() / drawn == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / drawn) ** 0.5)
    body.eval()
    seen.clear()
    body(**batch)
    assert torch.equal(seen[0], scaled)


def test_dropout_of_inputs_may_be_another_one(sparse):
    body = graph_body(build(as_data(sparse), dropout=0.5, net_options={"input_dropout": 0.25})[0]).module
    assert (body.dropout, body.net.dropout) == (0.25, 0.5)
    none = graph_body(build(as_data(sparse), dropout=0.5, net_options={"input_dropout": 0.0})[0]).module
    assert none.dropout == 0.0
    dense = graph_body(build(as_data(communities(30)), dropout=0.5, net_options={"input_dropout": 0.25})[0]).module
    assert (dense.dropout, dense.net.input_dropout) == (0.0, 0.25)


@pytest.mark.parametrize("data", [RINGS, as_data(communities(30))], ids=["graphs", "nodes"])
def test_a_net_of_ones_own_is_measured(data):
    made, dataset = build(data, given=Mean(6 if data is not RINGS else 2))
    body = graph_body(made)
    assert body.features == 5
    assert body.module(**pick(dataset.inputs, torch.arange(10))).shape == (10, 5)


def test_a_net_that_cannot_read_graphs_is_told_what_there_is():
    with pytest.raises(RequestError, match=r"It is given nodes \(node, 2\) and edges \(2, edge\), and graph \(node,\)"):
        graph_body(build(RINGS, given=nn.Linear(3, 2))[0])
    with pytest.raises(RequestError, match=r"It is given nodes \(node, 6\) and edges \(2, edge\), and gives"):
        graph_body(build(as_data(communities(30)), given=nn.Linear(3, 2))[0])


def test_pooling_fits_what_has_an_answer():
    with pytest.raises(RequestError, match="each graph has an answer of its own here; try a GNN with pooling='mean'"):
        graph_body(build(RINGS, net_options={"pooling": None})[0])
    with pytest.raises(RequestError, match="each node has an answer of its own here; try a GNN with pooling=None"):
        graph_body(build(as_data(communities(30)), net_options={"pooling": "sum"})[0])


def test_nodes_come_in_one_form_or_the_other():
    with pytest.raises(TypeError, match="nodes come whole, or as starts, columns and values"):
        GraphBody(nn.Identity(), 3)(edges=torch.zeros(2, 0, dtype=torch.int64))
