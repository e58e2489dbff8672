"""What says which prediction is of what: the ids of a table of nodes, or the names of graphs that have some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evenkeel.kinds.graph.files import NAME, names_of_nodes, tables_in
from evenkeel.kinds.graph.objects import datas_of, is_datas
from evenkeel.kinds.graph.schema import GraphSchema

NODES, CALLED = "nodes", "name"


def names_of(schema: GraphSchema, new: Any) -> Mapping[str, Sequence[str]]:
    """`id` of each node, or `name` of each graph, in the order of predictions; nothing where there are none."""
    if schema.level == "node":
        tables = tables_in(Path(new)) if isinstance(new, (str, Path)) and Path(new).is_dir() else new
        return {NAME: names_of_nodes(tables[NODES])} if isinstance(tables, Mapping) and NODES in tables else {}
    names = [getattr(data, CALLED, None) for data in datas_of(new)] if is_datas(new) else []
    known = [name for name in names if isinstance(name, str)]
    return {CALLED: known} if known and len(known) == len(names) else {}
