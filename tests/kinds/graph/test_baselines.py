import numpy as np
import pytest
import torch

from _graph_sets import as_data, communities, some_rings
from evenkeel.data.dataset import SplitRequest
from evenkeel.heads.for_task import head_for
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.graph import nodes as node_features
from evenkeel.kinds.graph.baselines import BASELINES, histogram, node_matrix, raw, smoothed
from evenkeel.kinds.graph.kind import GraphOptions, prepare_graphs

RINGS = some_rings(30)


def people(**split):
    return prepare_graphs(
        as_data(communities(60)), DataRequest(options=GraphOptions(), split=SplitRequest(**split))
    ).dataset


def rings():
    return prepare_graphs(
        ([graph[:2] for graph in RINGS], [graph[2] for graph in RINGS]), DataRequest(options=GraphOptions())
    ).dataset


def test_smoothing_is_two_steps_of_the_scaled_adjacency():
    data = people()
    nodes = data.inputs["nodes"].value.double()
    adjacency = torch.eye(60, dtype=torch.float64)
    adjacency[tuple(data.inputs["edges"].value)] = 1
    degree = adjacency.sum(1)
    shares = adjacency / (degree[:, None] * degree).sqrt()
    expected = (shares @ shares @ nodes)[[5, 2]]
    predicted = torch.from_numpy(smoothed(data, torch.tensor([5, 2])).toarray())
    torch.testing.assert_close(predicted.double(), expected, rtol=1e-5, atol=1e-5)


def test_sparse_nodes_are_the_same_matrix(monkeypatch):
    dense = people()
    monkeypatch.setattr(node_features, "SPARSE_FROM", 1)
    monkeypatch.setattr(node_features, "SPARSE_SHARE", 2.0)
    sparse = people()
    assert "values" in sparse.inputs
    scaled = node_matrix(sparse).toarray() * sparse.schema.nodes.size
    np.testing.assert_allclose(scaled, communities(60)["x"], rtol=1e-5)
    assert raw(dense, torch.tensor([3])).shape == raw(sparse, torch.tensor([3])).shape == (1, 6)


def test_a_histogram_counts_nodes_edges_and_what_they_are():
    data = rings()
    ends = [[*np.bincount([column], minlength=2)] for column in (0, 1)]
    tags = data.schema.nodes.tags
    counts = [[(tags_of == int(tag)).sum() for tag in tags] for tags_of, _, _ in RINGS]
    expected = np.array([[*c, len(g[0]), g[1].shape[1]] for c, g in zip(counts, RINGS, strict=True)], float)
    train = expected[data.split.train]
    expected = (expected - train.mean(0)) / train.std(0)
    np.testing.assert_allclose(histogram(data, torch.arange(30)), expected, atol=1e-9)
    assert len(ends) == 2


def test_each_is_asked_where_it_fits():
    part, rows = head_for("single-label", "class"), torch.arange(20)
    for data, names in ((people(), {"linear", "linear on smoothed features"}), (rings(), {"linear on histograms"})):
        predicted = {name: rival(part, data, rows, rows, 0) for name, rival in BASELINES.items()}
        assert {name for name, value in predicted.items() if value is not None} == names
        assert all(value.shape == (20, 2) for value in predicted.values() if value is not None)
    with pytest.raises(TypeError, match="expected a field kept as Joined"):
        histogram(people(), rows)


def test_where_more_nodes_validate_than_train_only_the_latter_teach():
    part = head_for("single-label", "class")
    few = {"train": range(10), "validation": range(10, 40), "test": range(40, 60)}
    data = people(how=few)
    queried, known = torch.arange(40, 60), torch.arange(40)
    predicted = BASELINES["linear"](part, data, known, queried, 0)
    assert np.array_equal(predicted, BASELINES["linear"](part, data, torch.arange(10), queried, 0))
    usual = people(how={"train": range(30), "validation": range(30, 40), "test": range(40, 60)})
    both = BASELINES["linear"](part, usual, known, queried, 0)
    assert not np.array_equal(both, BASELINES["linear"](part, usual, torch.arange(30), queried, 0))
