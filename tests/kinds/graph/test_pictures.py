import numpy as np
import torch

from _graph_sets import as_data, communities, ring_or_path, some_rings
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.graph.kind import GraphOptions, prepare_graphs
from evenkeel.kinds.graph.pictures import MOST_NODES, PICTURES, keep_graphs

RINGS = some_rings(20)


def test_some_small_graphs_are_kept_as_they_are():
    large = (np.zeros(MOST_NODES + 1, int), ring_or_path(MOST_NODES + 1, True), 0)
    graphs = [RINGS[0], large, *RINGS[1:]]
    data = prepare_graphs(
        ([graph[:2] for graph in graphs], [graph[2] for graph in graphs]), DataRequest(options=GraphOptions())
    ).dataset
    rows = torch.tensor([4, 1, 0, 7, 8, 9, 10, 11])
    kept = keep_graphs(data, rows)
    assert kept["row"].tolist() == [0, 2, 3, 4, 5, 6], "the large one is left out"
    for picture, row in enumerate(rows[kept["row"]].tolist()):
        mine = (kept["graph"] == picture).nonzero().flatten()
        edges = kept["edges"][:, torch.isin(kept["edges"][0], mine)] - mine[0]
        assert sorted(edges.T.tolist()) == sorted(graphs[row][1].T.tolist())
        tags = [int(data.schema.nodes.tags[colour]) for colour in kept["colour"][mine]]
        assert tags == graphs[row][0].tolist()


def test_around_a_node_is_what_lies_within_two_edges():
    data = prepare_graphs(as_data(communities(40)), DataRequest(options=GraphOptions())).dataset
    rows = torch.from_numpy(data.split.test)
    kept = keep_graphs(data, rows)
    assert 1 <= int(kept["graph"].max()) + 1 <= PICTURES
    near = torch.eye(40, dtype=torch.bool)
    near[tuple(data.inputs["edges"].value)] = True
    twice = (near.float() @ near.float()) > 0
    sizes = {int(twice[node].sum()) for node in rows}
    assert set(kept["graph"].bincount().tolist()) <= sizes
    shown = kept["row"][kept["row"] >= 0]
    assert len(shown) and shown.max() < len(rows)
    assert kept["edges"].max() < len(kept["graph"])
    assert (kept["graph"][kept["edges"][0]] == kept["graph"][kept["edges"][1]]).all()


def test_where_nothing_is_small_enough_nothing_is_kept():
    arrays = {"edge_index": ring_or_path(20, True), "x": np.zeros((20, 1), np.float32), "y": np.arange(20) % 2}
    arrays["edge_index"] = np.array([[0], [1]])
    data = prepare_graphs(as_data(arrays), DataRequest(options=GraphOptions())).dataset
    assert keep_graphs(data, torch.tensor([5, 6])) == {}


def test_nodes_with_real_numbers_have_one_colour_and_tags_theirs():
    draw = np.random.default_rng(0)
    for make, colours in ((draw.normal, {0}), (lambda size: draw.multinomial(1, [0.5, 0.5], size[0]), {0, 1})):
        graphs = [(make(size=(len(tags), 2)), edges) for tags, edges, _ in RINGS]
        data = prepare_graphs((graphs, [graph[2] for graph in RINGS]), DataRequest(options=GraphOptions())).dataset
        assert set(keep_graphs(data, torch.arange(6))["colour"].tolist()) == colours
