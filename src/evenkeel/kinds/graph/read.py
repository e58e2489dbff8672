"""Reading of graphs: the choice of the reader by type, or by the content of a path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.graph.arrays import is_pair, is_pairs, read_pairs
from evenkeel.kinds.graph.edges import EdgeLayout
from evenkeel.kinds.graph.files import TABLES, is_listing, is_npz, read_listing, read_npz, read_tables, tables_in
from evenkeel.kinds.graph.objects import datas_of, is_data, is_datas, read_data, read_datas
from evenkeel.kinds.graph.schema import USUAL, Answer, GraphSet, Level, check_set


def is_graphs(data: Any) -> bool:
    """Whether data are graphs: by type, or by the content of a path.

    Example:
        >>> import numpy as np
        >>> is_graphs([(np.zeros((3, 2)), np.array([[0, 1], [1, 2]]))]), is_graphs(np.zeros((3, 2)))
        (True, False)
    """
    if isinstance(data, (str, Path)):
        path = Path(data)
        return set(tables_in(path)) == set(TABLES) if path.is_dir() else is_npz(path) or is_listing(path)
    if isinstance(data, Mapping):
        return set(data) == set(TABLES)
    if isinstance(data, tuple) and len(data) == 2 and is_pairs(data[0]):
        return True
    return is_data(data) or is_datas(data) or is_pairs(data)


def read_graphs(
    data: Any, answer: Answer | None = USUAL, *, level: Level | None = None, layout: EdgeLayout = "lying"
) -> GraphSet:
    """Read graphs and check them.

    Args:
        data: a path, a mapping of two tables, a `Data` or several, pairs of arrays; one pair where `level` is graph.
        answer: the name of the answers; None: they are not read.
        level: of the examples, where it is known: one `Data` can be a graph with nodes to predict, or one of many.
        layout: of edges that fit both.

    Raises:
        DataError: the data are not graphs, or something does not fit; the message says what.
        RequestError: several targets where there can be one.
    """
    if isinstance(data, Mapping):
        return check_set(read_tables(data, answer, "the tables"))
    if isinstance(data, (str, Path)) and Path(data).is_dir():
        return check_set(read_tables(tables_in(Path(data)), answer, str(data)))
    if answer is not None and not isinstance(answer, str):
        raise RequestError(f"the answers of graphs have one name, got target={list(answer)}; give one")
    if isinstance(data, (str, Path)):
        return check_set(_of_file(Path(data), answer))
    return check_set(_of_memory(data, answer, level, layout))


def _of_memory(data: Any, answer: str | None, level: Level | None, layout: EdgeLayout) -> GraphSet:
    """Read pairs of arrays, or objects of torch_geometric."""
    if isinstance(data, (list, tuple)) and not data:
        raise DataError(f"expected at least one graph, got an empty {type(data).__name__}")
    if answer is None and level == "graph" and is_pair(data):
        return read_pairs([data], None, None, layout)
    if isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], list):
        return read_pairs(data[0], data[1], answer, layout)
    if is_pairs(data):
        if answer is not None:
            raise DataError("graphs come without answers; give the pair (graphs, y)")
        return read_pairs(data, None, None, layout)
    return _of_library(data, answer, level, layout)


def _of_library(data: Any, answer: str | None, level: Level | None, layout: EdgeLayout) -> GraphSet:
    """Read several `Data` as graphs, or a single one, whose nodes are the examples."""
    datas = datas_of(data) if is_datas(data) else [data]
    if len(datas) > 1 or (level == "graph" and is_data(datas[0])):
        return read_datas(datas, answer, layout)
    if not is_data(datas[0]):
        raise DataError(
            "expected graphs: a Data of torch_geometric or a list of them, (graphs, y) with graphs of (nodes, edges), "
            f"a .npz or .txt file, a folder with edges.csv and nodes.csv; got {type(data).__name__}"
        )
    return read_data(datas[0], answer, layout)


def _of_file(path: Path, answer: str | None) -> GraphSet:
    if not path.exists():
        raise DataError(f"no such file: {path}")
    if is_npz(path):
        return read_npz(path, answer)
    if is_listing(path):
        return read_listing(path, answer)
    raise DataError(
        f"{path} holds no graphs as they are known here: .npz with edge_index, or .txt that begins with the number of "
        "graphs, `nodes answer`, and `tag neighbours ...` of each node"
    )
