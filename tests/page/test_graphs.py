import re

import numpy as np
import pytest

from evenkeel.page import Report, Sentence, render
from evenkeel.page.graphs import GraphAnswers, graphs_section

EDGES = np.array([[0, 1, 1, 2, 3, 4], [1, 0, 2, 1, 4, 3]])
KEPT = {"edges": EDGES, "graph": np.array([0, 0, 0, 1, 1]), "colour": np.array([0, 1, 0, 1, 1])}


def test_each_graph_has_its_words_its_nodes_and_each_edge_once():
    answers = GraphAnswers(truth=["ring", "path"], prediction=["ring", "ring"], right=[True, False])
    drawn = graphs_section({**KEPT, "row": np.array([1, 0])}, answers, level="graph")
    assert drawn.svg.count("<circle") == 5 and drawn.svg.count("<line") == 3
    first, second = drawn.svg.index("true: path · predicted: ring"), drawn.svg.index("true: ring · predicted: ring")
    assert first < second, "the second test row is drawn first"
    assert drawn.title == "Graphs of the test part"
    assert "--ek-bad" in drawn.svg and "--ek-good" in drawn.svg


def test_nodes_show_the_truth_and_a_ring_where_it_was_missed():
    answers = GraphAnswers(truth=["a", "b", "b"], prediction=["a", "a", "b"], right=[True, False, True])
    drawn = graphs_section({**KEPT, "row": np.array([0, 1, -1, 2, -1])}, answers, level="node")
    circles = re.findall(r"<circle[^>]*>", drawn.svg)
    assert sum('stroke-width="3"' in circle for circle in circles) == 1
    assert "true: b · predicted: a" in drawn.svg
    assert sum('r="2.5"' in circle for circle in circles) == 2, "those that are not of the test part"
    assert drawn.title == "Around some nodes of the test part"


def test_numbers_and_many_classes_have_no_legend():
    numbers = GraphAnswers(truth=["1.5", "2", "7"], prediction=["1.4", "2.2", "6"])
    drawn = graphs_section({**KEPT, "row": np.array([0, 1, -1, 2, -1])}, numbers, level="node")
    assert 'stroke-width="3"' not in drawn.svg and "true: 1.5 · predicted: 1.4" in drawn.svg
    names = [str(number) for number in range(12)]
    many = GraphAnswers(truth=names, prediction=names[::-1], right=[False] * 12)
    kept = {
        "edges": np.empty((2, 0), int),
        "graph": np.arange(12) // 6,
        "colour": np.zeros(12, int),
        "row": np.arange(12),
    }
    drawn = graphs_section(kept, many, level="node")
    assert drawn.svg.count("--ek-bad") == 12


@pytest.mark.parametrize("kept", [{}, {**KEPT, "graph": np.empty(0, int), "row": np.empty(0, int)}])
def test_of_nothing_there_is_no_picture(kept):
    assert graphs_section(kept, GraphAnswers(truth=[], prediction=[]), level="graph") is None


def test_words_of_others_are_escaped_on_the_page():
    answers = GraphAnswers(truth=["<b>", "a"], prediction=["a", "a"], right=[False, True])
    for level, row in (("graph", [0, 1]), ("node", [0, 1, -1, -1, -1])):
        drawn = graphs_section({**KEPT, "row": np.array(row)}, answers, level=level)
        page = render(Report(title="t", verdict=[Sentence(text="s", tone="good")], extra=[drawn]))
        assert "&lt;b&gt;" in page and "<b>" not in page


def test_the_colour_of_nodes_is_explained_where_it_tells_something():
    answers = GraphAnswers(truth=["ring", "path"], prediction=["ring", "ring"], right=[True, False])
    kept = {**KEPT, "row": np.array([1, 0])}
    assert (
        graphs_section(kept, answers, level="graph").caption == "A colour stands for the commonest feature of a node."
    )
    plain = {**kept, "colour": np.zeros(5, int)}
    assert graphs_section(plain, answers, level="graph").caption == ""
