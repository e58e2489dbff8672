import numpy as np
import polars as pl
import pytest
import torch

from _graph_sets import as_data, as_tables, communities, some_rings
from evenkeel.kinds.graph.leaks import MOST_COLUMNS, leak_notes
from evenkeel.kinds.graph.read import read_graphs

PEOPLE = communities(90)
ROWS, TRAIN = np.arange(80), np.arange(40)
ANSWERS = torch.from_numpy(PEOPLE["y"])[:80]
TOLD = r"Column '{}' alone predicts the target almost perfectly"


def leaks_of(data, side=(), kind="class", target="y"):
    return leak_notes(read_graphs(data, target), side, ROWS, TRAIN, ANSWERS, kind, 0)


def with_twin(kind):
    twin = PEOPLE["y"] if kind == "class" else 2 * PEOPLE["y"] + 1
    return as_data({**PEOPLE, "x": np.concatenate([PEOPLE["x"], twin[:, None].astype(np.float32)], axis=1)})


@pytest.mark.parametrize("kind", ["class", "number"])
def test_a_twin_of_the_answer_is_named(kind):
    (note,) = leaks_of(with_twin(kind), kind=kind)
    assert note.startswith("Column 'x[6]' alone predicts the target almost perfectly (100.0%): possible leakage.")


def test_a_twin_in_a_table_is_named():
    tables = as_tables(PEOPLE)
    tables["nodes"] = tables["nodes"].with_columns(twin=pl.Series(PEOPLE["y"]))
    (note,) = leaks_of(tables, ("town", "x0", "twin"), target="answer")
    assert note.startswith("Column 'twin' alone")
    assert leaks_of(tables, ("town", "x0"), target="answer") == () == leaks_of(tables, (), target="answer")


def test_nothing_is_said_of_others():
    assert leaks_of(as_data(PEOPLE)) == () and leaks_of(with_twin("class"), kind="labels") == ()
    wide = np.concatenate([PEOPLE["y"][:, None], np.random.default_rng(0).normal(size=(90, MOST_COLUMNS))], axis=1)
    assert leaks_of(as_data({**PEOPLE, "x": wide})) == ()
    assert leaks_of(as_data({**PEOPLE, "x": np.ones((90, 3))})) == (), "nothing varies"
    graphs = [(np.full((3, 1), float(number)), graph[1][:, :0]) for number, graph in enumerate(some_rings(90))]
    assert leaks_of((graphs, PEOPLE["y"])) == ()
