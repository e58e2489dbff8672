import numpy as np
import pytest
import torch

from _graph_sets import some_rings
from evenkeel.errors import DataError
from evenkeel.kinds.graph.arrays import is_pair, is_pairs, read_pairs

RINGS = some_rings(12)
PAIRS = [graph[:2] for graph in RINGS]
NUMBERED = [(np.random.default_rng(row).normal(size=(len(tags), 3)), edges) for row, (tags, edges) in enumerate(PAIRS)]

FORMS = {
    "arrays": lambda x, e: (x, e),
    "tensors": lambda x, e: (torch.from_numpy(x), torch.from_numpy(e)),
    "floats": lambda x, e: (x, e.astype(float)),
    "lists": lambda x, e: (x.tolist(), e.tolist()),
    "standing lists": lambda x, e: (x.tolist(), e.T.tolist()),
    "in lists": lambda x, e: [x, e],
    "lists in lists": lambda x, e: [x.tolist(), e.tolist()],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("graphs", [PAIRS, NUMBERED], ids=["tags", "numbers"])
def test_every_form_reads_the_same(graphs, form):
    formed = [FORMS[form](*graph) for graph in graphs]
    assert is_pairs(formed)
    graph_set, plain = read_pairs(formed, None, None), read_pairs(graphs, None, None)
    assert torch.equal(graph_set.edges, plain.edges) and graph_set.sizes == plain.sizes
    if plain.values.numbers is None:
        assert graph_set.values.tags.tolist() == plain.values.tags.tolist()
    else:
        assert torch.equal(graph_set.values.numbers, plain.values.numbers)


@pytest.mark.parametrize("form", [np.array, list, lambda words: np.array(words, dtype=object)])
def test_words_are_tags(form):
    graphs = [(form(["CN"[tag] for tag in tags]), edges) for tags, edges in PAIRS]
    assert is_pairs(graphs)
    tags = read_pairs(graphs, None, None).values.tags
    assert tags.tolist() == ["CN"[tag] for each, _ in PAIRS for tag in each]


def test_other_lists_are_no_pairs():
    steps = [(np.zeros((5, 3)), np.zeros((5, 3)))]
    assert not is_pairs(steps) and not is_pairs([]) and not is_pairs([np.zeros((2, 2))]) and not is_pairs([(1, 2)])
    generator = np.random.default_rng(0)
    assert not is_pairs([(generator.normal(size=(5, 2)), generator.normal(size=(5, 2)))]), "two sides of one shape"
    assert not is_pairs([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]), "a list in a list may be anything"
    assert not is_pairs(np.zeros((9, 2, 2, 2)).tolist()) and not is_pairs(np.zeros((9, 2, 2), int).tolist())
    assert not is_pairs([("left", "right")]) and not is_pairs([([1, 2], [3, 4])]) and not is_pairs([([1], [])])
    assert not is_pairs([(np.zeros(3), np.array([["a", "b"]]))]) and not is_pairs("ab")


def test_one_graph_is_told_from_graphs_and_answers():
    x, edges = PAIRS[0]
    assert is_pair((x, edges)) and is_pair((x.tolist(), edges.tolist())) and is_pair((x, edges.astype(float)))
    assert not is_pair((PAIRS, np.zeros((12, 2), int))) and not is_pair([x, edges]) and not is_pair(PAIRS)


def test_edges_that_are_no_whole_numbers_are_one_clear_error():
    for graphs in (
        [(x, edges + 0.25) for x, edges in NUMBERED],
        [[x.tolist(), (edges + 0.25).tolist()] for x, edges in NUMBERED],
    ):
        assert is_pairs(graphs)
        with pytest.raises(DataError, match=r"edges must be whole numbers of shape \(2, edge\).* with [0-9.]+25 in it"):
            read_pairs(graphs, None, None)


def test_edges_to_nowhere_are_named_in_every_form():
    for graphs in (
        [(x, edges + 50) for x, edges in NUMBERED],
        [(x.tolist(), (edges + 50).tolist()) for x, edges in PAIRS],
    ):
        assert is_pairs(graphs)
        with pytest.raises(DataError, match=r"graph 0: \d+ edge\(s\) lead to a node that is not there"):
            read_pairs(graphs, None, None)


def test_two_edges_are_read_as_those_of_the_other_graphs():
    two, three = np.array([[0, 1], [2, 1]]), np.array([[0, 1], [1, 2], [2, 0]])
    tags = np.zeros(3, int)
    graph_set = read_pairs([(tags, two), (tags, three)], None, None)
    assert graph_set.layout == "standing" and graph_set.edges[:, :2].tolist() == two.T.tolist()
    wide = read_pairs([(tags, two), (tags, three.T)], None, None)
    assert wide.layout == "lying" and wide.edges[:, :2].tolist() == two.tolist()
    assert read_pairs([(tags, two)], None, None).edges.tolist() == two.tolist()
    assert read_pairs([(tags, two)], None, None, "standing").edges.tolist() == two.T.tolist()


def test_pairs_have_numbers_or_tags():
    graphs = some_rings(4)
    tagged = read_pairs([graph[:2] for graph in graphs], [0, 1, 0, 1], "y")
    assert tagged.values.numbers is None and set(tagged.values.tags) == {"0", "1"}
    numbered = read_pairs([(torch.randn(len(tags), 3), edges) for tags, edges, _ in graphs], None, "y")
    assert numbered.values.numbers.shape == (numbered.nodes, 3) and numbered.answers is None
    with pytest.raises(DataError, match=r"nodes must be whole numbers \(node,\), a tag each"):
        read_pairs([graphs[0][:2], (np.zeros((3, 2)), np.empty((2, 0)))], None, None)


def test_wrong_pairs_are_named():
    graphs = PAIRS[:3]
    with pytest.raises(DataError, match=r"graph 2 must be a pair \(nodes, edges\) of arrays, got int"):
        read_pairs([*graphs[:2], 7], None, None)
    with pytest.raises(DataError, match="there are 3 graphs and 2 answers"):
        read_pairs(graphs, [0, 1], "y")
    with pytest.raises(DataError, match="expected at least one graph, got an empty list"):
        read_pairs([], [], "y")
    with pytest.raises(DataError, match="graph 0: its nodes must have equally many numbers each"):
        read_pairs([([[1.0], [1.0, 2.0]], [[0], [1]])], None, None)
    with pytest.raises(DataError, match=r"graph 0: words at nodes must be one each, \(node,\), got the shape \(1, 2\)"):
        read_pairs([(np.array([["a", "b"]]), np.empty((2, 0)))], None, None)
