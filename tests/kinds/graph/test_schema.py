import numpy as np
import polars as pl
import pytest
import torch

from _graph_sets import communities, some_rings
from evenkeel.data.fields import pick
from evenkeel.errors import DataError
from evenkeel.kinds.graph.arrays import read_pairs
from evenkeel.kinds.graph.nodes import NodeValues, as_numbers
from evenkeel.kinds.graph.objects import answers_frame
from evenkeel.kinds.graph.schema import GraphSchema, GraphSet, check_set, encode_graphs, fit_graphs

GRAPHS = some_rings(12)


def rings():
    return read_pairs([graph[:2] for graph in GRAPHS], [graph[2] for graph in GRAPHS], "y")


def people(sparse="no"):
    arrays = communities(20)
    numbers = as_numbers(torch.from_numpy(arrays["x"]))
    return GraphSet(
        level="node",
        sizes=(20,),
        edges=torch.from_numpy(arrays["edge_index"]),
        values=NodeValues(numbers=numbers.to_sparse_coo() if sparse == "yes" else numbers),
        answers=answers_frame(arrays["y"], "y"),
        targets=("y",),
        source="people",
    )


def test_a_batch_of_graphs_is_those_graphs():
    fitted = fit_graphs(rings(), np.arange(12), np.arange(6), answer="y", ways="auto")
    batch = pick(fitted.inputs, torch.tensor([7, 2]))
    sizes = [len(GRAPHS[7][0]), len(GRAPHS[2][0])]
    assert batch["graph"].tolist() == [0] * sizes[0] + [1] * sizes[1]
    edges = np.concatenate([GRAPHS[7][1], GRAPHS[2][1] + sizes[0]], axis=1)
    assert sorted(batch["edges"].T.tolist()) == sorted(edges.T.tolist())
    tags = np.concatenate([GRAPHS[7][0], GRAPHS[2][0]]).astype(str)
    assert [fitted.schema.nodes.tags[column] for column in batch["nodes"].argmax(1)] == tags.tolist()


def test_graphs_without_an_answer_drop_out():
    rows = np.array([1, 4, 9])
    some = fit_graphs(rings(), rows, np.arange(3), answer="y", ways="auto")
    every = encode_graphs(some.schema, rings())
    for place, row in enumerate(rows):
        one, other = pick(some.inputs, torch.tensor([place])), pick(every, torch.tensor([row]))
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_nodes_come_with_their_whole_graph():
    rows = np.array([3, 5, 17])
    fitted = fit_graphs(people(), rows, np.arange(2), answer="y", ways="auto")
    batch = pick(fitted.inputs, torch.tensor([2, 0]))
    assert batch["rows"].tolist() == [17, 3]
    assert batch["nodes"].shape == (20, 6) and batch["edges"].max() < 20
    assert fitted.notes[0].endswith("go both ways (edges='directed' keeps them as they are).")


def test_sparse_nodes_are_their_places_row_after_row():
    fitted = fit_graphs(people("yes"), np.arange(20), np.arange(20), answer="y", ways="auto")
    batch = pick(fitted.inputs, torch.arange(20))
    values = people().values.numbers / fitted.schema.nodes.size
    assert batch["starts"].diff().tolist() == [6] * 20
    torch.testing.assert_close(batch["values"].view(20, 6), values)
    assert batch["columns"].view(20, 6).tolist() == [list(range(6))] * 20


def test_the_schema_knows_nothing_of_rows_that_do_not_train():
    changed = people()
    changed.values.numbers[10:] *= 100
    first, second = (
        fit_graphs(graph_set, np.arange(20), np.arange(10), answer="y", ways="auto")
        for graph_set in (people(), changed)
    )
    assert first.schema == second.schema
    few = fit_graphs(
        read_pairs([(np.array([tag]), np.empty((2, 0))) for tag in (1, 1, 2)], [0, 1, 0], "y"),
        np.arange(3),
        np.arange(2),
        answer="y",
        ways="auto",
    )
    assert few.schema.nodes.tags == ("1",)
    assert few.notes == ("1 node(s) have a tag that no training graph has; they are told by their edges alone.",)


def test_a_schema_reads_back_and_says_what_was_understood():
    for graph_set in (rings(), people(), people("yes")):
        fitted = fit_graphs(graph_set, np.arange(12), np.arange(12), answer="y", ways="directed")
        assert GraphSchema.model_validate_json(fitted.schema.model_dump_json()) == fitted.schema
        assert fitted.schema.columns[0].kind == "graph" and "nodes" in fitted.schema.columns[0].examples[0]
        assert len(fitted.schema.columns) == 2


def test_other_columns_of_a_node_table_are_features_and_the_answer_is_not():
    table = pl.DataFrame({"y": [0, 1, 1, 0], "a": [1.0, 2.0, 3.0, 4.5]})
    graph_set = GraphSet(
        level="node",
        sizes=(4,),
        edges=torch.tensor([[0], [1]]),
        values=NodeValues(table=table),
        answers=table,
        targets=("y",),
        source="s",
    )
    fitted = fit_graphs(graph_set, np.arange(4), np.arange(4), answer="y", ways="auto", side=("a",))
    assert [column.name for column in fitted.schema.nodes.table.columns] == ["a"]
    alone = fit_graphs(graph_set, np.arange(4), np.arange(4), answer="y", ways="auto")
    assert alone.schema.nodes.form == "degree" and alone.inputs["nodes"].value.tolist() == [[1], [1], [0], [0]]


@pytest.mark.parametrize(
    "sizes, edges, message",
    [
        ((), [[], []], "made holds no graph"),
        ((2, 0, 3), [[], []], r"made: 1 graph\(s\) have no nodes, such as graph 1; leave them out"),
        ((2,), [[0], [2]], r"made: 1 edge\(s\) lead to a node that is not there, such as 0 to 2"),
    ],
)
def test_what_is_no_set_of_graphs_is_refused(sizes, edges, message):
    edges = torch.tensor(edges, dtype=torch.int64).reshape(2, -1)
    with pytest.raises(DataError, match=message):
        check_set(
            GraphSet(
                level="graph", sizes=sizes, edges=edges, values=NodeValues(), answers=None, targets=(), source="made"
            )
        )


def test_graphs_are_not_nodes():
    fitted = fit_graphs(people(), np.arange(20), np.arange(20), answer="y", ways="auto")
    with pytest.raises(DataError, match="training had the nodes of one graph to predict, got graphs"):
        encode_graphs(fitted.schema, rings())


def test_the_mean_of_edges_has_one_decimal():
    fitted = fit_graphs(rings(), np.arange(12), np.arange(12), answer="y", ways="auto")
    mean = sum(graph[1].shape[1] for graph in GRAPHS) / 12
    example = fitted.schema.columns[0].examples[1]
    assert example == f"{mean:.1f} edges, each way counted" and len(example.split()[0].split(".")[1]) == 1
    alone = fit_graphs(people(), np.arange(20), np.arange(20), answer="y", ways="directed")
    assert alone.schema.columns[0].examples[1] == f"{people().edges.shape[1]} edges, each way counted"
