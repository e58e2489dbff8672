from types import SimpleNamespace

import numpy as np
import pytest
import torch

from _graph_sets import as_data, as_tables, communities, some_rings, write_listing
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.graph.kind import GRAPH, GraphOptions, prepare_graphs
from evenkeel.kinds.graph.read import read_graphs


def names_of(schema, new):
    return read_graphs(new, None, level=schema.level, layout=schema.layout).keys


PEOPLE = communities(20)
RINGS = some_rings(12)


@pytest.fixture(scope="module")
def nodes():
    return prepare_graphs(as_data(PEOPLE), DataRequest(options=GraphOptions())).dataset.schema


@pytest.fixture(scope="module")
def graphs():
    return prepare_graphs(
        ([graph[:2] for graph in RINGS], [graph[2] for graph in RINGS]), DataRequest(options=GraphOptions())
    ).dataset.schema


def test_nodes_of_tables_have_their_ids(nodes, tmp_path):
    tables = as_tables(PEOPLE)
    for name, table in tables.items():
        table.write_csv(tmp_path / f"{name}.csv")
    expected = {"id": [f"p{number}" for number in range(20)]}
    assert names_of(nodes, tables) == names_of(nodes, tmp_path) == names_of(nodes, str(tmp_path)) == expected
    schema = GRAPH.prepare(tables, DataRequest(options=GraphOptions(), target="answer")).dataset.schema
    assert GRAPH.encode(schema, tables).keys == expected


def test_graphs_have_names_where_all_are_given_one(graphs):
    datas = [SimpleNamespace(edge_index=torch.empty(2, 0), num_nodes=1, name=name) for name in ("a", "b")]
    assert names_of(graphs, datas) == {"name": ["a", "b"]}
    datas[1].name = None
    assert names_of(graphs, datas) == {}


def test_others_have_none(nodes, graphs, tmp_path):
    path = tmp_path / "people.npz"
    np.savez(path, **PEOPLE)
    assert names_of(nodes, as_data(PEOPLE)) == names_of(nodes, path) == names_of(nodes, str(path)) == {}
    assert names_of(graphs, [graph[:2] for graph in RINGS]) == {}
    assert names_of(graphs, write_listing(tmp_path / "rings.txt", RINGS)) == {}
