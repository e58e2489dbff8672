import numpy as np
import pytest

from _graph_sets import as_data, as_tables, communities, some_rings, write_listing
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.graph.read import is_graphs, read_graphs

ARRAYS = communities(20)
PAIRS = [graph[:2] for graph in some_rings(5)]


@pytest.fixture
def forms(tmp_path):
    """Every form of graphs there is, by name."""
    np.savez(tmp_path / "a.npz", **ARRAYS)
    for name, table in as_tables(ARRAYS).items():
        table.write_csv(tmp_path / f"{name}.csv")
    one = as_data({**ARRAYS, "y": np.array([1])})
    return {
        "npz": tmp_path / "a.npz",
        "npz as text": str(tmp_path / "a.npz"),
        "listing": write_listing(tmp_path / "a.txt", some_rings(5)),
        "folder": tmp_path,
        "mapping": as_tables(ARRAYS),
        "data": as_data(ARRAYS),
        "data set of one": [as_data(ARRAYS)],
        "datas": [one, one],
        "pairs and answers": (PAIRS, [0, 1, 0, 1, 0]),
    }


LEVELS = dict.fromkeys(("listing", "datas", "pairs and answers"), "graph")
NAMES = ("npz", "npz as text", "listing", "folder", "mapping", "data", "data set of one", "datas", "pairs and answers")


@pytest.mark.parametrize("name", NAMES)
def test_every_form_is_recognised_and_read(name, forms):
    assert set(NAMES) == set(forms) and is_graphs(forms[name])
    target = "answer" if name in ("folder", "mapping") else "y"
    graphs = read_graphs(forms[name], target)
    assert graphs.level == LEVELS.get(name, "node")
    assert graphs.answers.height == (graphs.nodes if graphs.level == "node" else len(graphs.sizes))
    assert read_graphs(forms[name], None).answers is None


@pytest.mark.parametrize(
    "other", [np.zeros((3, 2)), "sample:wine", "houses.csv", ([1, 2], [3, 4]), [], {"a": [1]}, 7, None]
)
def test_other_data_are_not(other):
    assert not is_graphs(other)


def test_graphs_alone_can_be_predicted_but_not_learned_from():
    assert is_graphs(PAIRS) and read_graphs(PAIRS, None).answers is None
    with pytest.raises(DataError, match=r"graphs come without answers; give the pair \(graphs, y\)"):
        read_graphs(PAIRS)


def test_one_data_is_a_graph_among_others_where_these_are_asked_about():
    one = as_data(ARRAYS)
    assert read_graphs(one, None, level="graph").level == read_graphs([one], None, level="graph").level == "graph"
    assert read_graphs([one], None, level="node").level == "node"


@pytest.mark.parametrize(
    "data, message",
    [
        (7, "expected graphs: a Data of torch_geometric .* got int"),
        ("nowhere.npz", "no such file: nowhere.npz"),
        ({"nodes": None}, "edges is missing"),
    ],
)
def test_what_cannot_be_read_is_an_error(data, message):
    with pytest.raises(DataError, match=message):
        read_graphs(data)


def test_another_file_is_an_error(tmp_path):
    (tmp_path / "a.txt").write_text("once upon a time")
    with pytest.raises(DataError, match=r"a\.txt holds no graphs as they are known here"):
        read_graphs(tmp_path / "a.txt")


def test_answers_of_arrays_have_one_name():
    with pytest.raises(RequestError, match=r"the answers of graphs have one name, got target=\['a', 'b'\]"):
        read_graphs((PAIRS, [0] * 5), ("a", "b"))


@pytest.mark.parametrize("empty", [[], ()])
def test_of_nothing_there_is_one_short_error(empty):
    with pytest.raises(DataError, match=f"^expected at least one graph, got an empty {type(empty).__name__}$"):
        read_graphs(empty, None, level="graph")


def test_one_pair_is_one_graph_where_graphs_are_asked_about():
    x, edges = PAIRS[0]
    for one in ((x, edges), (x.tolist(), edges.tolist())):
        assert read_graphs(one, None, level="graph").sizes == (len(x),)
    assert len(read_graphs((PAIRS, [0, 1, 0, 1, 0]), None, level="graph").sizes) == 5


def test_two_edges_alone_are_read_by_the_layout_of_training():
    one = (np.zeros(3, int), np.array([[0, 1], [2, 1]]))
    assert read_graphs(one, None, level="graph", layout="standing").edges.tolist() == [[0, 2], [1, 1]]
    assert read_graphs([one], None, level="graph").edges.tolist() == [[0, 1], [2, 1]]
