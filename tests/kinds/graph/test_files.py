import numpy as np
import polars as pl
import pytest
import torch

from _graph_sets import as_tables, communities, some_rings, write_listing
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.graph.files import (
    is_listing,
    is_npz,
    read_listing,
    read_npz,
    read_tables,
    tables_in,
)

ARRAYS = communities(20)


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_an_archive_with_a_matrix_and_one_with_its_places_are_the_same(tmp_path):
    dense = save(tmp_path / "dense.npz", **ARRAYS, idx_train=[0, 1], idx_val=[2], idx_test=[3, 4])
    row, column = np.nonzero(ARRAYS["x"])
    rest = {name: ARRAYS[name] for name in ("edge_index", "y")}
    places = {"x_row": row, "x_col": column, "x_val": ARRAYS["x"][row, column]}
    mask = np.arange(20) < 2
    sparse = save(tmp_path / "sparse.npz", **rest, **places, train_mask=mask)
    assert is_npz(dense) and is_npz(sparse)
    first, second = read_npz(dense, "y"), read_npz(sparse, "y")
    assert second.values.numbers.is_sparse
    assert torch.equal(first.values.numbers, second.values.numbers.to_dense())
    assert {part: rows.tolist() for part, rows in first.parts.items()} == {
        "train": [0, 1],
        "validation": [2],
        "test": [3, 4],
    }
    assert {part: rows.tolist() for part, rows in second.parts.items()} == {"train": [0, 1]}
    assert first.level == "node" and first.answers["y"].to_list() == ARRAYS["y"].tolist()


def test_nodes_without_anything_known_of_them_still_count(tmp_path):
    path = save(
        tmp_path / "a.npz", edge_index=[[0], [1]], x_row=[0], x_col=[2], x_val=[1.0], num_nodes=4, num_features=5
    )
    graph_set = read_npz(path, None)
    assert graph_set.values.numbers.shape == (4, 5) and graph_set.parts is None and graph_set.answers is None
    bare = read_npz(save(tmp_path / "b.npz", edge_index=[[0, 1], [1, 2]]), None)
    assert bare.sizes == (3,) and bare.values.numbers is None


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({"x": np.zeros((3, 2)), "y": np.zeros(4)}, "holds 3 nodes and 4 answers"),
        (
            {"y": np.zeros(3), "x_row": [0], "x_col": [1]},
            "x_row, x_col and x_val must be there, all of one length; got x_row, x_col",
        ),
        ({"y": np.zeros(3), "x_row": [0], "x_col": [-1], "x_val": [1.0]}, "x_row and x_col count from 0, got -1"),
        (
            {"y": np.zeros(3), "x_row": [9], "x_col": [1], "x_val": [1.0], "num_nodes": 3},
            "up to row 9, column 1 of 3 x 2",
        ),
        (
            {"label": np.zeros(3), "x": np.zeros((3, 2))},
            "holds no array 'y' to predict; there are: 'edge_index', 'label'",
        ),
    ],
)
def test_an_archive_that_does_not_fit_is_refused(arrays, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read_npz(save(tmp_path / "a.npz", edge_index=[[0], [1]], **arrays), "y")


def test_a_damaged_archive_is_an_error(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"no archive")
    assert not is_npz(path) and not is_npz(tmp_path / "none.npz") and not is_npz(save(tmp_path / "b.npz", x=[1]))
    with pytest.raises(DataError, match="could not be read as arrays"):
        read_npz(path, "y")


def test_a_listing_gives_back_its_graphs(tmp_path):
    graphs = some_rings(6)
    path = write_listing(tmp_path / "rings.txt", graphs)
    assert is_listing(path)
    graph_set = read_listing(path, "ring")
    assert graph_set.sizes == tuple(len(tags) for tags, _, _ in graphs) and graph_set.targets == ("ring",)
    assert graph_set.answers["ring"].to_list() == [answer for _, _, answer in graphs]
    assert graph_set.values.tags.tolist() == [str(tag) for tags, _, _ in graphs for tag in tags]
    starts = np.cumsum([0, *graph_set.sizes])
    expected = sorted(
        pair for start, (_, edges, _) in zip(starts, graphs, strict=False) for pair in (edges + start).T.tolist()
    )
    assert sorted(graph_set.edges.T.tolist()) == expected


def test_numbers_may_follow_the_neighbours(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("1\n2 yes\n0 1 1 0.5 -2\n3 1 0 1.5 4\n")
    graph_set = read_listing(path, "y")
    assert graph_set.values.numbers.tolist() == [[0.5, -2.0], [1.5, 4.0]] and graph_set.answers["y"].to_list() == [
        "yes"
    ]


@pytest.mark.parametrize(
    "text, message",
    [
        ("2\n1 0\n0 0\n", "line 4: expected 2 numbers or more, got 0"),
        ("1\n2 0\n0 1 1\n0 2 0\n", "line 4: expected 2 neighbours, got 1"),
        ("1\n2 0\n0 1 1\n0 x 0\n", "line 4: expected a whole number, got 'x'"),
        ("1\n2 0\n0 1 1\n0 1 0 z\n", "line 4: could not convert string to float: 'z'"),
        ("1\n2 0\n0 1 1\n0 1 0 2.5\n", "nodes must have equally many numbers, got 0 to 1"),
        ("1\n2 0\n0 1 1\n0 1 5\n", r"graph 0: 1 edge\(s\) lead to a node that is not there"),
    ],
)
def test_a_listing_with_a_slip_names_its_line(text, message, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_listing(path, "y")


@pytest.mark.parametrize(
    "text", ["", "a b\n1 2\n", "3\n", "3\nonce upon a time\nthere was\n", "1 2\n3 4\n5 6\n", "2\n3 0\n0 5 1\n", "é"]
)
def test_other_text_is_no_listing(text, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(text, encoding="latin-1")
    assert not is_listing(path) and not is_listing(tmp_path / "none.txt")


def test_two_tables_are_a_graph(tmp_path):
    tables = as_tables(ARRAYS)
    tables["edges"].write_csv(tmp_path / "edges.csv")
    tables["nodes"].write_parquet(tmp_path / "nodes.parquet")
    assert {name: path.name for name, path in tables_in(tmp_path).items()} == {
        "edges": "edges.csv",
        "nodes": "nodes.parquet",
    }
    for source in (tables, tables_in(tmp_path)):
        graph_set = read_tables(source, "answer", "here")
        assert graph_set.edges.tolist() == ARRAYS["edge_index"].tolist() and graph_set.sizes == (20,)
        assert graph_set.targets == ("answer",) and "id" not in graph_set.answers.columns


def test_ids_are_the_same_as_numbers_and_as_text():
    edges = pl.DataFrame({"source": [7.0, None], "target": [9.0, 7.0]})
    nodes = pl.DataFrame({"id": ["7", "9", ""], "y": [0, 1, 0]})
    assert read_tables({"edges": edges, "nodes": nodes}, "y", "here").edges.tolist() == [[0, 2], [1, 0]]
    only = read_tables({"edges": edges, "nodes": nodes.select("id")}, None, "here")
    assert only.values.table is None and only.answers is None


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda t: {"nodes": t["nodes"]}, "here: a graph needs a table of edges and one of nodes; edges is missing"),
        (lambda t: {**t, "nodes": t["nodes"].rename({"id": "name"})}, "the table of nodes needs a column 'id'"),
        (
            lambda t: {**t, "edges": t["edges"].rename({"source": "Source"})},
            "of edges needs a column 'source'; did you mean 'Source'",
        ),
        (
            lambda t: {**t, "nodes": pl.concat([t["nodes"], t["nodes"][:2]])},
            r"2 id\(s\) of nodes stand there twice, such as 'p0'",
        ),
        (lambda t: {**t, "nodes": t["nodes"][1:]}, r"end\(s\) of edges are no id of a node, such as 'p0'"),
    ],
)
def test_tables_that_do_not_fit_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        read_tables(change(as_tables(ARRAYS)), "answer", "here")


def test_of_a_table_of_nodes_a_target_must_be_named():
    with pytest.raises(RequestError, match=r"which column of the nodes is to be predicted\? .* \['answer', 'town'"):
        read_tables(as_tables(ARRAYS), "y", "here")


@pytest.mark.parametrize("ends", [("from", "to"), ("src", "dst")])
def test_ends_of_edges_have_several_names(ends):
    tables = as_tables(ARRAYS)
    edges = tables["edges"].rename(dict(zip(("source", "target"), ends, strict=True)))
    graph_set = read_tables({**tables, "edges": edges}, "answer", "here")
    assert graph_set.edges.tolist() == ARRAYS["edge_index"].tolist()
    with pytest.raises(
        DataError, match=rf"needs a column '{ends[1]}'; .* source and target, or from and to, or src and"
    ):
        read_tables({**tables, "edges": edges.drop(ends[1])}, "answer", "here")


def test_parts_of_an_archive_must_be_apart(tmp_path):
    np.savez(tmp_path / "a.npz", **ARRAYS, idx_train=np.arange(9), val_mask=np.arange(20) > 5)
    with pytest.raises(DataError, match=r"idx_train and val_mask share 3 node\(s\), such as node 6"):
        read_npz(tmp_path / "a.npz", "y")


def test_nodes_have_the_names_of_their_table():
    assert read_tables(as_tables(ARRAYS), None, "tables").keys["id"][:2] == ["p0", "p1"]
    numbered = {"edges": pl.DataFrame({"source": [7], "target": [9]}), "nodes": pl.DataFrame({"id": [7.0, 9.0]})}
    assert read_tables(numbered, None, "tables").keys == {"id": ["7", "9"]}
