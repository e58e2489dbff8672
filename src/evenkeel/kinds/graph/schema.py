"""Graphs as read, the schema learned of those that train, and the fields that a net reads.

    level graph   an example is a graph     nodes (place, channel)   edges (2, edge)   graph (place,)
    level node    an example is a node of the one graph there is     rows (row,) beside all nodes and edges

Sparse nodes are stored as places and values, row after row: starts (node + 1,), columns (entry,), values (entry,).
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
from evenkeel.kinds.graph.edges import EdgeLayout, Ways, check_edges, clean_edges
from evenkeel.kinds.graph.nodes import NodeFeatures, NodeValues, doubts, encode_nodes, fit_nodes
from evenkeel.shapes import Int, Tensor

Level = Literal["node", "graph"]
Answer = str | tuple[str, ...]
USUAL = "y"  # the default name of answers


@dataclass(frozen=True, kw_only=True)
class GraphSet:
    """Graphs as read, one after the other.

    Args:
        level: whether an example is a node or a graph.
        sizes: nodes of each graph.
        edges: (2, edge), numbered through the nodes of all graphs.
        values: the features of each node.
        answers: a row for each example, with the targets and columns to split or weight by; None if unknown.
        targets: the target's columns.
        parts: the split that the data bring along, as row numbers.
        notes: sentences about changes made while reading.
        layout: of the edges in the source, (2, edge) or (edge, 2).
        source: the origin of the data, for the report.
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
    layout: EdgeLayout = "lying"
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def nodes(self) -> int:
        """Number of nodes of all graphs together."""
        return sum(self.sizes)


class GraphSchema(DataSchema):
    """Schema of graphs: the level of examples, the nodes' features, ways of edges, name of the answer.

    New edges of shape 2 x 2, which fit both layouts, are read by `layout`.
    """

    kind: str = "graph"
    level: Level
    nodes: NodeFeatures
    edges: Ways
    answer: Answer
    layout: EdgeLayout = "lying"


def check_set(graphs: GraphSet) -> GraphSet:
    """Refuse an empty set, empty graphs and wrong edges.

    Raises:
        DataError: no graph, a graph without nodes, an edge to a node that does not exist.
    """
    if not graphs.sizes:
        raise DataError(f"{graphs.source} holds no graph; expected at least one")
    if 0 in graphs.sizes:
        empty = [number for number, size in enumerate(graphs.sizes) if not size]
        raise DataError(
            f"{graphs.source}: {len(empty)} graph(s) have no nodes, such as graph {empty[0]}; leave them out"
        )
    check_edges(graphs.edges, graphs.nodes, graphs.source)
    return graphs


def fit_graphs(
    graphs: GraphSet, rows: np.ndarray, train: np.ndarray, *, answer: Answer, ways: Ways, side: tuple[str, ...] = ()
) -> EncodedRows[GraphSchema]:
    """Learn a schema on the training part and encode the examples.

    Args:
        graphs: as read.
        rows: the examples that have an answer, by number.
        train: places in `rows` of the examples that train.
        answer: the name of the answers.
        ways: of edges.
        side: columns of a node table that are features.
    """
    values = graphs.values
    if graphs.answers is not None and values.table is not None:
        values = NodeValues(table=values.table.select(side)) if side else NodeValues()
    kept = torch.from_numpy(rows[train])
    learned = fit_nodes(values, kept if graphs.level == "node" else places_of(starts_of(graphs.sizes), kept))
    clean = clean_edges(graphs.edges, graphs.nodes, ways)
    schema = GraphSchema(
        columns=_columns(graphs, clean.edges, learned),
        level=graphs.level,
        nodes=learned,
        edges=ways,
        answer=answer,
        layout=graphs.layout,
    )
    notes = (*graphs.notes, *clean.notes, *doubts(learned, values))
    return EncodedRows(schema=schema, inputs=encode_graphs(schema, graphs, rows), notes=notes)


def _columns(graphs: GraphSet, edges: Tensor, learned: NodeFeatures) -> tuple[Column, ...]:
    """Describe the graphs for a reader."""
    sizes = torch.tensor(graphs.sizes, dtype=torch.float64)
    least, most = min(graphs.sizes), max(graphs.sizes)
    nodes = f"{least} nodes" if least == most else f"{least} to {most} nodes, {float(sizes.mean()):.1f} on average"
    count = f"{edges.shape[1] / len(graphs.sizes):.1f}".removesuffix(".0")
    columns = [Column(name="graph", kind="graph", missing=0, examples=(nodes, f"{count} edges, each way counted"))]
    if learned.given:
        form = "mostly zeros" if learned.form == "sparse" else "dense"
        columns.append(Column(name="nodes", kind="number", missing=0, examples=(f"{learned.given} numbers, {form}",)))
    if learned.form == "degree":
        columns.append(Column(name="neighbours", kind="number", missing=0, examples=("their number",)))
    if learned.tags:
        columns.append(Column(name="tag", kind="category", missing=0, examples=learned.tags[:8]))
    return (*columns, *(learned.table.columns if learned.table is not None else ()))


def encode_graphs(schema: GraphSchema, graphs: GraphSet, rows: np.ndarray | None = None) -> Fields:
    """Encode the examples in `rows` as fields; all of them without `rows`.

    Raises:
        DataError: graphs where training had nodes of one graph, or nodes with other features.
    """
    if graphs.level != schema.level:
        examples = {"node": "the nodes of one graph", "graph": "graphs"}
        raise DataError(f"training had {examples[schema.level]} to predict, got {examples[graphs.level]}")
    edges = clean_edges(graphs.edges, graphs.nodes, schema.edges).edges
    degree = torch.bincount(edges[0], minlength=graphs.nodes)
    nodes = encode_nodes(schema.nodes, graphs.values, degree)
    if schema.level == "node":
        return _of_nodes(nodes, edges, torch.arange(graphs.nodes) if rows is None else torch.from_numpy(rows))
    return _of_graphs(nodes.to_dense(), edges, graphs.sizes, None if rows is None else torch.from_numpy(rows))


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
