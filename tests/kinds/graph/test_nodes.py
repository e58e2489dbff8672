import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.data.scale import apply_scale, fit_scale
from evenkeel.errors import DataError
from evenkeel.kinds.graph import nodes as node_features
from evenkeel.kinds.graph.nodes import NodeFeatures, NodeValues, as_numbers, doubts, encode_nodes, fit_nodes

ALL = torch.arange(5)


def test_measurements_are_scaled_by_the_nodes_that_train_and_flags_are_not():
    values = NodeValues(numbers=torch.tensor([[0.0, 10.0], [1.0, 20.0], [0.0, 40.0], [1.0, 1e6], [5.0, 30.0]]))
    learned = fit_nodes(values, torch.tensor([0, 1, 2]))
    assert learned.scales == (None, fit_scale(np.array([10.0, 20.0, 40.0])))
    encoded = encode_nodes(learned, values)
    assert encoded[:, 0].tolist() == [0, 1, 0, 1, 5]
    assert encoded[:, 1].tolist() == apply_scale(values.numbers[:, 1].double().numpy(), learned.scales[1]).tolist()
    assert learned.channels == 2


def test_missing_numbers_are_filled_and_counted():
    values = NodeValues(numbers=torch.tensor([[1.0, 0.0], [2.0, torch.nan], [torch.inf, 1.0], [3.0, 1.0], [4.0, 1.0]]))
    learned = fit_nodes(values, ALL)
    encoded = encode_nodes(learned, values)
    assert encoded.isfinite().all() and encoded[1, 1] == 0
    assert doubts(learned, values) == ("2 number(s) at nodes are missing or infinite; after scaling they count as 0.",)


def test_a_large_matrix_of_zeros_is_kept_as_places(monkeypatch):
    dense = torch.zeros(5, 40)
    dense[torch.arange(5), torch.arange(5)] = torch.tensor([2.0, 2.0, 2.0, 4.0, 4.0])
    assert not as_numbers(dense).is_sparse
    monkeypatch.setattr(node_features, "SPARSE_FROM", 200)
    numbers = as_numbers(dense)
    assert numbers.is_sparse and not as_numbers(torch.ones(5, 40)).is_sparse
    learned = fit_nodes(NodeValues(numbers=numbers), torch.tensor([0, 1]))
    assert (learned.form, learned.size, learned.channels) == ("sparse", 2.0, 40)
    expected = dense / 2
    assert torch.equal(encode_nodes(learned, NodeValues(numbers=numbers)).to_dense(), expected)
    assert torch.equal(encode_nodes(learned, NodeValues(numbers=dense)).to_dense(), expected)


def test_sparse_rows_without_any_number_are_no_scale():
    numbers = torch.zeros(5, 3).to_sparse_coo()
    assert fit_nodes(NodeValues(numbers=numbers), ALL).size == 1.0


@pytest.mark.filterwarnings("ignore:Sparse")
def test_sparse_layouts_of_torch_are_read():
    assert torch.equal(as_numbers(torch.eye(3).to_sparse_csr()).to_dense(), torch.eye(3))


def test_tags_beyond_training_have_no_column_and_are_counted():
    values = NodeValues(tags=np.array(["C", "O", "C", "N", "F"]))
    learned = fit_nodes(values, torch.tensor([0, 1, 2]))
    assert learned.tags == ("C", "O")
    assert encode_nodes(learned, values).tolist() == [[1, 0], [0, 1], [1, 0], [0, 0], [0, 0]]
    assert doubts(learned, values) == (
        "2 node(s) have a tag that no training graph has; they are told by their edges alone.",
    )
    with pytest.raises(DataError, match="none of the tags, such as 'X', was seen in training"):
        encode_nodes(learned, NodeValues(tags=np.array(["X", "Y"])))
    with pytest.raises(DataError, match="training had a tag at each node, such as 'C'; here there are none"):
        encode_nodes(learned, NodeValues(numbers=torch.zeros(2, 3)))


def test_tags_and_numbers_stand_side_by_side():
    values = NodeValues(tags=np.array(["a", "b", "a"]), numbers=torch.tensor([[1.0], [0.0], [1.0]]))
    learned = fit_nodes(values, torch.arange(3))
    assert learned.channels == 3
    assert encode_nodes(learned, values).tolist() == [[1, 1, 0], [0, 0, 1], [1, 1, 0]]


def test_a_table_of_nodes_gives_numbers_flags_and_levels():
    table = pl.DataFrame({"size": [1.0, None, 3.0, 4.0, 9.0], "town": ["a", "b", "a", "b", "c"]})
    learned = fit_nodes(NodeValues(table=table), torch.arange(4))
    encoded = encode_nodes(learned, NodeValues(table=table))
    assert encoded.shape == (5, learned.channels) == (5, 5)
    assert encoded[:, 1].tolist() == [0, 1, 0, 0, 0], "a flag where the number is missing"
    assert encoded[4, 2:].tolist() == [1, 0, 0], "a level of no training node"
    with pytest.raises(DataError, match="training had a table of the nodes"):
        encode_nodes(learned, NodeValues(numbers=torch.zeros(2, 3)))


def test_without_features_neighbours_are_counted():
    learned = fit_nodes(NodeValues(), ALL)
    assert learned == NodeFeatures(form="degree") and learned.channels == 1
    assert encode_nodes(learned, NodeValues(), torch.tensor([0, 1, 3])).tolist() == [[0], [1], [2]]
    assert doubts(learned, NodeValues()) == ("Nodes come without features; the number of their neighbours stands in.",)
    with pytest.raises(DataError, match="training had nodes without features, here they have some"):
        encode_nodes(learned, NodeValues(numbers=torch.zeros(2, 3)), torch.zeros(2, dtype=torch.int64))
    with pytest.raises(TypeError, match="pass degree"):
        encode_nodes(learned, NodeValues())


def test_another_width_is_refused():
    learned = fit_nodes(NodeValues(numbers=torch.randn(5, 3)), ALL)
    with pytest.raises(DataError, match="training had 3 numbers at each node, here there are 2"):
        encode_nodes(learned, NodeValues(numbers=torch.randn(5, 2)))
    with pytest.raises(DataError, match="training had 3 numbers at each node, here there are none"):
        encode_nodes(learned, NodeValues())
    with pytest.raises(DataError, match=r"node features must have the shape \(node, channel\), got \(5,\)"):
        as_numbers(torch.zeros(5))


def test_what_was_learned_reads_back():
    learned = fit_nodes(NodeValues(numbers=torch.randn(5, 3), tags=np.array(list("abcde"))), ALL)
    assert NodeFeatures.model_validate_json(learned.model_dump_json()) == learned
