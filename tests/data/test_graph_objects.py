from types import SimpleNamespace

import numpy as np
import pytest
import torch

from _graph_sets import as_data, communities, some_rings
from evenkeel.data.graph_objects import answers_frame, is_data, is_datas, is_pairs, read_data, read_datas, read_pairs
from evenkeel.errors import DataError

ARRAYS = communities(20)


def ring_datas(**more):
    return [
        SimpleNamespace(
            x=torch.from_numpy(tags).float()[:, None],
            edge_index=torch.from_numpy(edges),
            y=torch.tensor([y]),
            num_nodes=len(tags),
            **more,
        )
        for tags, edges, y in some_rings(5)
    ]


def test_forms_are_told_apart():
    data, pairs = as_data(ARRAYS), [graph[:2] for graph in some_rings(3)]
    assert is_data(data) and is_datas([data]) and is_pairs(pairs)
    assert not is_data([data]) and not is_datas("data") and not is_datas([]) and not is_datas(pairs)
    steps = [(np.zeros((5, 3)), np.zeros((5, 3)))]
    assert not is_pairs(steps) and not is_pairs([]) and not is_pairs([np.zeros((2, 2))]) and not is_pairs([(1, 2)])


def test_one_graph_with_masks():
    masks = {f"{name}_mask": torch.arange(20) % 3 == rest for rest, name in enumerate(("train", "val", "test"))}
    found = read_data(as_data(ARRAYS, **masks), "y")
    assert found.level == "node" and found.sizes == (20,) and found.targets == ("y",)
    assert {part: rows.tolist() for part, rows in found.parts.items()} == {
        "train": list(range(0, 20, 3)),
        "validation": list(range(1, 20, 3)),
        "test": list(range(2, 20, 3)),
    }
    assert read_data(as_data(ARRAYS), None).answers is None and read_data(as_data(ARRAYS), "y").parts is None


def test_masks_of_several_splits_are_refused():
    with pytest.raises(
        DataError, match=r"train_mask must be one Boolean .* got torch.bool of shape \(20, 10\); of several"
    ):
        read_data(as_data(ARRAYS, train_mask=torch.zeros(20, 10, dtype=torch.bool)), "y")


def test_what_is_not_there_cannot_be_predicted():
    with pytest.raises(DataError, match="the Data has nothing in 'age' to predict; there are: 'y'"):
        read_data(as_data(ARRAYS), "age")
    with pytest.raises(DataError, match=r"one Data with 20 nodes has 1 answer\(s\) in 'y'; expected one for each node"):
        read_data(as_data({**ARRAYS, "y": np.array([1])}), "y")


def test_several_labels_are_columns():
    frame = answers_frame(torch.tensor([[0, 1], [1, 1]]), "y")
    assert frame.columns == ["y_0", "y_1"] and answers_frame(np.zeros((3, 1)), "y").columns == ["y"]
    assert answers_frame(["a", "b"], "word")["word"].to_list() == ["a", "b"]
    with pytest.raises(DataError, match=r"answers must have the shape \(row,\) or \(row, label\)"):
        answers_frame(np.zeros((2, 2, 2)), "y")


def test_many_graphs_with_an_answer_each():
    found = read_datas(ring_datas(edge_attr=torch.ones(1)), "y")
    assert found.sizes == tuple(len(graph[0]) for graph in some_rings(5))
    assert found.answers["y"].to_list() == [graph[2] for graph in some_rings(5)]
    assert found.notes == (
        "What is known of the edges (edge_attr) is left out; nets here read nodes and who hears whom.",
    )
    assert found.edges.max() < found.nodes == len(found.values.numbers)


def test_graphs_of_unlike_form_are_refused():
    datas = ring_datas()
    datas[1].y = torch.tensor([1, 2])
    with pytest.raises(DataError, match="each graph must have equally many answers in 'y', got 1 to 2"):
        read_datas(datas, "y")
    datas[2].x = torch.zeros(datas[2].num_nodes, 3)
    with pytest.raises(DataError, match="nodes must have equally many numbers in every graph, got 1 and 3"):
        read_datas(datas, None)
    datas[2].x = None
    with pytest.raises(DataError, match="some graphs have features for every node and others do not"):
        read_datas(datas, None)


def test_pairs_have_numbers_or_tags():
    graphs = some_rings(4)
    tagged = read_pairs([graph[:2] for graph in graphs], [0, 1, 0, 1], "y")
    assert tagged.values.numbers is None and set(tagged.values.tags) == {"0", "1"}
    numbered = read_pairs([(torch.randn(len(tags), 3), edges) for tags, edges, _ in graphs], None, "y")
    assert numbered.values.numbers.shape == (numbered.nodes, 3) and numbered.answers is None
    with pytest.raises(DataError, match=r"nodes must be whole numbers \(node,\), a tag each"):
        read_pairs([graphs[0][:2], (np.zeros((3, 2)), np.empty((2, 0)))], None, None)


def test_wrong_pairs_are_named():
    graphs = [graph[:2] for graph in some_rings(3)]
    with pytest.raises(DataError, match=r"graph 2 must be a pair \(nodes, edges\) of arrays, got int"):
        read_pairs([*graphs[:2], 7], None, None)
    with pytest.raises(DataError, match="there are 3 graphs and 2 answers"):
        read_pairs(graphs, [0, 1], "y")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_data_of_torch_geometric_is_read():
    library = pytest.importorskip("torch_geometric.data")
    data = library.Data(**{name: torch.from_numpy(array) for name, array in ARRAYS.items()})
    assert is_data(data) and is_datas([data])
    found = read_data(data, "y")
    assert found.sizes == (20,) and torch.equal(found.values.numbers, data.x)
    with pytest.raises(DataError, match="nothing in 'z' to predict; there are: 'y'"):
        read_data(data, "z")
