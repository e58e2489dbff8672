from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from _graph_sets import as_data, as_tables, communities, some_rings
from evenkeel.data.target import Target
from evenkeel.kinds.graph.labels import drop_unlabelled, label_graphs
from evenkeel.kinds.graph.read import read_graphs

PEOPLE = communities(60)
HIDDEN = np.arange(60) % 5 == 0


def answered(y):
    return read_graphs(as_data({**PEOPLE, "y": np.asarray(y)}))


def test_minus_one_is_no_answer_and_is_counted():
    known = label_graphs(answered(np.where(HIDDEN, -1, PEOPLE["y"])), None)
    assert known.choice.task == "single-label" and known.table.rows.tolist() == np.flatnonzero(~HIDDEN).tolist()
    assert set(known.table.target["y"]) == {0, 1}
    assert known.graphs.notes[0].startswith("12 node(s) have the answer -1, which is read as no answer")


@pytest.mark.parametrize(
    "y, task",
    [
        (np.where(PEOPLE["y"] == 0, -1, 1), None),
        (np.where(HIDDEN, -1, PEOPLE["y"]), "regression"),
        (np.where(HIDDEN, -2, PEOPLE["y"]), None),
        (np.where(HIDDEN, -1.0, PEOPLE["y"]), None),
        (PEOPLE["y"], None),
    ],
    ids=["two classes", "a number", "other negatives", "floats", "none"],
)
def test_otherwise_answers_stay(y, task):
    known = label_graphs(answered(y), task)
    assert len(known.table.rows) == 60 and known.graphs.notes == ()
    assert set(known.table.target["y"]) == set(np.asarray(y).tolist())


def test_answers_of_graphs_and_of_tables_stay():
    graphs = [graph[:2] for graph in some_rings(30)]
    assert len(label_graphs(read_graphs((graphs, [-1, 0, 1] * 10)), None).table.rows) == 30
    tables = as_tables(PEOPLE)
    tables["nodes"] = tables["nodes"].with_columns(answer=pl.Series([-1, 0, 1] * 20))
    assert len(label_graphs(read_graphs(tables, "answer"), None).table.rows) == 60


def test_new_answers_are_read_as_those_of_training():
    graphs = answered(np.where(HIDDEN, -1, PEOPLE["y"]))
    known = Target(columns=("y",), kind="class", levels=(0, 1))
    assert drop_unlabelled(graphs, known).answers["y"].null_count() == 12
    for other in (known.model_copy(update={"levels": (-1, 1)}), Target(columns=("y",), kind="number")):
        assert drop_unlabelled(graphs, other) is graphs
    without = replace(graphs, answers=None, targets=())
    assert drop_unlabelled(without, known) is without
    with pytest.raises(TypeError, match="read without answers"):
        label_graphs(without, None)
