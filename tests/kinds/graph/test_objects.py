from types import SimpleNamespace

import numpy as np
import pytest
import torch

from _graph_sets import as_data, communities, some_rings
from evenkeel.errors import DataError
from evenkeel.kinds.graph.objects import answers_frame, datas_of, is_data, is_datas, read_data, read_datas

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
    assert is_data(data) and is_datas([data])
    assert not is_data([data]) and not is_datas("data") and not is_datas([]) and not is_datas(pairs)
    assert not is_datas(data) and not is_datas(np.zeros((3, 2))) and not is_datas({"len": 1})


def test_one_graph_with_masks():
    masks = {f"{name}_mask": torch.arange(20) % 3 == rest for rest, name in enumerate(("train", "val", "test"))}
    graph_set = read_data(as_data(ARRAYS, **masks), "y")
    assert graph_set.level == "node" and graph_set.sizes == (20,) and graph_set.targets == ("y",)
    assert {part: rows.tolist() for part, rows in graph_set.parts.items()} == {
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
    for wrong in (np.zeros((2, 2, 2)), [[1, 2], [3]]):
        with pytest.raises(DataError, match=r"answers must have the shape \(row,\) or \(row, label\)"):
            answers_frame(wrong, "y")


def test_many_graphs_with_an_answer_each():
    graph_set = read_datas(ring_datas(edge_attr=torch.ones(1)), "y")
    assert graph_set.sizes == tuple(len(graph[0]) for graph in some_rings(5))
    assert graph_set.answers["y"].to_list() == [graph[2] for graph in some_rings(5)]
    assert graph_set.notes == (
        "What is known of the edges (edge_attr) is left out; nets here read nodes and who hears whom.",
    )
    assert graph_set.edges.max() < graph_set.nodes == len(graph_set.values.numbers)


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


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_data_of_torch_geometric_is_read():
    library = pytest.importorskip("torch_geometric.data")
    data = library.Data(**{name: torch.from_numpy(array) for name, array in ARRAYS.items()})
    assert is_data(data) and is_datas([data])
    graph_set = read_data(data, "y")
    assert graph_set.sizes == (20,) and torch.equal(graph_set.values.numbers, data.x)
    with pytest.raises(DataError, match="nothing in 'z' to predict; there are: 'y'"):
        read_data(data, "z")


def test_masks_that_overlap_are_named():
    masks = {"train_mask": torch.arange(20) < 12, "val_mask": torch.arange(20) >= 15, "test_mask": torch.arange(20) > 9}
    with pytest.raises(DataError, match=r"train_mask and test_mask share 2 node\(s\), such as node 10; a node may be"):
        read_data(as_data(ARRAYS, **masks), "y")


def test_data_without_edges_say_what_is_missing():
    data = as_data(ARRAYS)
    data.edge_index = None
    for read, value in ((read_data, data), (read_datas, [data, data])):
        with pytest.raises(DataError, match=r"the Data has no edge_index; .* torch.empty\(2, 0, dtype=torch.int64\)"):
            read(value, None)


def with_answers(shapes, counts):
    return [
        SimpleNamespace(x=None, edge_index=torch.tensor([[0], [1]]), num_nodes=count, y=torch.ones(shape))
        for shape, count in zip(shapes, counts, strict=True)
    ]


@pytest.mark.parametrize("shapes, counts", [([5, 5, 5], [5, 5, 5]), ([4, 6], [4, 6]), ([(4, 2), (3, 2)], [4, 3])])
def test_answers_of_nodes_need_one_graph(shapes, counts):
    message = r"each of the \d graphs has as many answers in 'y' as nodes; answers for nodes need one graph: join them"
    with pytest.raises(DataError, match=message):
        read_datas(with_answers(shapes, counts), "y")


@pytest.mark.parametrize(
    "shapes, counts, width",
    [([(1, 5)] * 2, [5, 5], 5), ([2, 2], [2, 3], 2), ([1, 1], [1, 1], 1), ([()] * 2, [4, 2], 1)],
)
def test_answers_of_graphs_that_are_no_answers_of_nodes(shapes, counts, width):
    datas = with_answers(shapes, counts)
    for data in datas:
        data.edge_index = torch.empty(2, 0, dtype=torch.int64)
    assert read_datas(datas, "y").answers.shape == (2, width)


def test_edges_of_a_list_lie_as_those_that_can_be_told():
    datas = with_answers([1, 1], [3, 3])
    datas[0].edge_index, datas[1].edge_index = torch.tensor([[0, 1], [1, 2]]), torch.tensor([[0, 1], [1, 2], [2, 0]])
    graph_set = read_datas(datas, "y")
    assert graph_set.layout == "standing" and graph_set.edges.tolist() == [[0, 1, 3, 4, 5], [1, 2, 4, 5, 3]]
    assert read_data(datas[0], None, "standing").edges.tolist() == [[0, 1], [1, 2]]
    assert read_datas(datas[:1], "y").edges.tolist() == [[0, 1], [1, 2]] == datas[0].edge_index.tolist()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_batch_and_a_data_set_are_their_graphs():
    library = pytest.importorskip("torch_geometric.data")
    datas = [library.Data(x=data.x, edge_index=data.edge_index, y=data.y) for data in ring_datas()]
    batch = library.Batch.from_data_list(datas)

    class Stored(library.InMemoryDataset):
        def __init__(self):
            super().__init__(None)
            self.data, self.slices = self.collate(datas)

    whole = read_datas(datas, "y")
    for value in (batch, Stored(), Stored()[:]):
        assert is_datas(value)
        graph_set = read_datas(datas_of(value), "y")
        assert graph_set.sizes == whole.sizes and torch.equal(graph_set.edges, whole.edges)
        assert graph_set.answers.equals(whole.answers)
    loose = library.Batch(x=batch.x, edge_index=batch.edge_index, y=batch.y, batch=batch.batch)
    with pytest.raises(DataError, match=r"this Batch does not know .* make it with Batch.from_data_list"):
        datas_of(loose)
