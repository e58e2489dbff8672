"""Graphs as read, what was learned of those that train, and the fields that a net is given.

    level graph   an example is a graph     nodes (place, channel)   edges (2, edge)   graph (place,)
    level node    an example is a node of the one graph there is     rows (row,) beside all nodes and edges

Sparse nodes are their places and values, row after row: starts (node + 1,), columns (entry,), values (entry,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
import torch

from evenkeel.data.columns import Column
from evenkeel.data.dataset import EncodedRows
from evenkeel.data.fields import Edges, Fields, Joined, Owners, SharedField, places_of, starts_of
from evenkeel.data.schema import DataSchema
from evenkeel.errors import DataError
from evenkeel.kinds.graph.edges import Layout, Ways, check_edges, clean_edges
from evenkeel.kinds.graph.nodes import NodeFeatures, NodeValues, doubts, encode_nodes, fit_nodes
from evenkeel.shapes import Int, Tensor

Level = Literal["node", "graph"]
Answer = str | tuple[str, ...]
USUAL = "y"  # what answers are called where nobody says


@dataclass(frozen=True, kw_only=True)
class GraphSet:
    """Graphs side by side, as read.

    Args:
        level: what an example is.
        sizes: nodes of each graph.
        edges: (2, edge), numbered through the nodes of all graphs.
        values: what is known of each node.
        answers: a row for each example, with the targets and what may say how to split and to weight; None if unknown.
        targets: the target's columns.
        parts: the split that the data bring along, as row numbers.
        notes: what the reading changed.
        layout: how edges lay where that could be told, (2, edge) or (edge, 2).
        source: where it came from, for the report.
        keys: `id` of each node, or `name` of each graph, where they have some.
    """

    level: Level
    sizes: tuple[int, ...]
    edges: Int[Tensor, "2 edge"]
    values: NodeValues
    answers: pl.DataFrame | None
    targets: tuple[str, ...]
    source: str
    parts: Mapping[str, np.ndarray] | None = None
    notes: tuple[str, ...] = ()
    layout: Layout = "lying"
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def nodes(self) -> int:
        """Of all graphs together."""
        return sum(self.sizes)


class GraphSchema(DataSchema):
    """What encoding new graphs needs: what an example is, the nodes' features, ways of edges, name of the answer.

    New edges of shape 2 x 2, which could lie or stand, are read by `layout`.
    """

    kind: str = "graph"
    level: Level
    nodes: NodeFeatures
    edges: Ways
    answer: Answer
    layout: Layout = "lying"


def check_set(found: GraphSet) -> GraphSet:
    """Refuse what is no set of graphs.

    Raises:
        DataError: no graph, a graph without nodes, an edge to a node that is not there.
    """
    if not found.sizes:
        raise DataError(f"{found.source} holds no graph; expected at least one")
    if 0 in found.sizes:
        empty = [number for number, size in enumerate(found.sizes) if not size]
        raise DataError(
            f"{found.source}: {len(empty)} graph(s) have no nodes, such as graph {empty[0]}; leave them out"
        )
    check_edges(found.edges, found.nodes, found.source)
    return found


def fit_graphs(
    found: GraphSet, rows: np.ndarray, train: np.ndarray, *, answer: Answer, ways: Ways, side: tuple[str, ...] = ()
) -> EncodedRows[GraphSchema]:
    """Learn a schema and encode.

    Args:
        found: as read.
        rows: the examples that have an answer, by number.
        train: which of these train.
        answer: the name by which answers are read.
        ways: of edges.
        side: columns of a node table that are features.
    """
    values = found.values
    if found.answers is not None and values.table is not None:
        values = NodeValues(table=values.table.select(side)) if side else NodeValues()
    kept = torch.from_numpy(rows[train])
    learned = fit_nodes(values, kept if found.level == "node" else places_of(starts_of(found.sizes), kept))
    clean = clean_edges(found.edges, found.nodes, ways)
    schema = GraphSchema(
        columns=_columns(found, clean.edges, learned),
        level=found.level,
        nodes=learned,
        edges=ways,
        answer=answer,
        layout=found.layout,
    )
    notes = (*found.notes, *clean.notes, *doubts(learned, values))
    return EncodedRows(schema=schema, inputs=encode_graphs(schema, found, rows), notes=notes)


def _columns(found: GraphSet, edges: Tensor, learned: NodeFeatures) -> tuple[Column, ...]:
    """What was understood, for a reader."""
    sizes = torch.tensor(found.sizes, dtype=torch.float64)
    least, most = min(found.sizes), max(found.sizes)
    told = f"{least} nodes" if least == most else f"{least} to {most} nodes, {float(sizes.mean()):.1f} on average"
    count = f"{edges.shape[1] / len(found.sizes):.1f}".removesuffix(".0")
    columns = [Column(name="graph", kind="graph", missing=0, examples=(told, f"{count} edges, each way counted"))]
    if learned.given:
        form = "mostly zeros" if learned.form == "sparse" else "dense"
        columns.append(Column(name="nodes", kind="number", missing=0, examples=(f"{learned.given} numbers, {form}",)))
    if learned.form == "degree":
        columns.append(Column(name="neighbours", kind="number", missing=0, examples=("their number",)))
    if learned.tags:
        columns.append(Column(name="tag", kind="category", missing=0, examples=learned.tags[:8]))
    return (*columns, *(learned.table.columns if learned.table is not None else ()))


def encode_graphs(schema: GraphSchema, found: GraphSet, rows: np.ndarray | None = None) -> Fields:
    """The fields of some examples, all without `rows`.

    Raises:
        DataError: graphs where training had nodes of one, or nodes with other features.
    """
    if found.level != schema.level:
        asked = {"node": "the nodes of one graph", "graph": "graphs"}
        raise DataError(f"training had {asked[schema.level]} to predict, got {asked[found.level]}")
    edges = clean_edges(found.edges, found.nodes, schema.edges).edges
    degree = torch.bincount(edges[0], minlength=found.nodes)
    nodes = encode_nodes(schema.nodes, found.values, degree)
    if schema.level == "node":
        return _of_nodes(nodes, edges, torch.arange(found.nodes) if rows is None else torch.from_numpy(rows))
    return _of_graphs(nodes.to_dense(), edges, found.sizes, None if rows is None else torch.from_numpy(rows))


def _of_nodes(nodes: Tensor, edges: Tensor, rows: Tensor) -> Fields:
    count = len(rows)
    fields = {"rows": rows, "edges": SharedField(edges, count)}
    if not nodes.is_sparse:
        return {**fields, "nodes": SharedField(nodes, count)}
    place = nodes.indices()
    starts = torch.cat((place.new_zeros(1), torch.bincount(place[0], minlength=nodes.shape[0]).cumsum(0)))
    parts = {"starts": starts, "columns": place[1].contiguous(), "values": nodes.values()}
    return {**fields, **{name: SharedField(part, count) for name, part in parts.items()}}


def _of_graphs(nodes: Tensor, edges: Tensor, sizes: tuple[int, ...], rows: Tensor | None) -> Fields:
    starts = starts_of(sizes)
    owner = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))[edges[0]]
    counts = torch.bincount(owner, minlength=len(sizes))
    heard = starts_of(counts.tolist())
    local = edges - starts[owner]
    if rows is not None and len(rows) < len(sizes):
        nodes, local = nodes[places_of(starts, rows)], local[:, places_of(heard, rows)]
        starts, heard = starts_of(starts.diff()[rows].tolist()), starts_of(counts[rows].tolist())
    return {"nodes": Joined(nodes, starts), "edges": Edges(local, heard, starts), "graph": Owners(starts)}
