"""Pictures of graphs in the report: some graphs of the test part, or the surroundings of some test nodes.

Kept with the run:

edges (2, drawn)   graph (node,) which picture a node is in   colour (node,) its tag, or its first feature
row (node,) or (picture,): the place among the kept test rows, -1 of nodes that are none
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import Edges, Joined, all_rows
from evenkeel.kinds.base import Shown
from evenkeel.kinds.graph.schema import GraphSchema
from evenkeel.page import Section, graphs
from evenkeel.shapes import Int, Tensor

PICTURES = 6
MOST_NODES = 60  # of one picture: more cannot be made out


def keep_graphs(data: Dataset[GraphSchema], rows: Int[Tensor, "row"]) -> Mapping[str, Tensor]:
    """Select the tensors to draw, by name; none where no graph is small enough."""
    nodes, edges = data.inputs["nodes" if "nodes" in data.inputs else "rows"], data.inputs["edges"]
    if isinstance(nodes, Joined) and isinstance(edges, Edges):
        return _of_graphs(nodes, edges, rows, len(data.schema.nodes.tags))
    return _of_nodes(all_rows(edges), all_rows(data.inputs["rows"]), rows)


def _of_graphs(nodes: Joined, edges: Edges, rows: Tensor, tags: int) -> Mapping[str, Tensor]:
    """Select the first test graphs that are small enough; nodes with real numbers alone have the colour 0."""
    sizes = nodes.starts.diff()[rows]
    chosen = (sizes <= MOST_NODES).nonzero().flatten()[:PICTURES]
    if not len(chosen):
        return {}
    picked = nodes.index_select(0, rows[chosen])
    marks = picked[:, -tags:] if tags else picked
    flags = bool(((nodes.values == 0) | (nodes.values == 1)).all())
    return {
        "edges": edges.index_select(0, rows[chosen]),
        "graph": torch.arange(len(chosen)).repeat_interleave(sizes[chosen]),
        "colour": marks.argmax(1) if tags or flags else torch.zeros(len(picked), dtype=torch.int64),
        "row": chosen,
    }


def _of_nodes(edges: Tensor, numbers: Tensor, rows: Tensor) -> Mapping[str, Tensor]:
    """Select surroundings, two edges wide, of the test nodes with the most neighbours that are small enough."""
    count = 1 + max(int(numbers.max()), int(edges.max()) if edges.numel() else 0)
    place = torch.full((count,), -1)
    place[numbers[rows]] = torch.arange(len(rows))
    order = torch.bincount(edges[0], minlength=count)[numbers[rows]].argsort(descending=True, stable=True)
    pieces, owners, drawn, covered, pictures = [], [], [], set(), 0
    for centre in numbers[rows][order].tolist():
        if pictures == PICTURES:
            break
        around = _around(edges, centre, count)
        if centre in covered or not 2 < len(around) <= MOST_NODES:
            continue
        covered |= set(around.tolist())
        inside = torch.isin(edges[0], around) & torch.isin(edges[1], around)
        start = sum(len(piece) for piece in pieces)
        drawn.append(torch.searchsorted(around, edges[:, inside].contiguous()) + start)
        owners.append(torch.full((len(around),), pictures))
        pieces.append(around)
        pictures += 1
    if not pieces:
        return {}
    row = place[torch.cat(pieces)]
    return {"edges": torch.cat(drawn, dim=1), "graph": torch.cat(owners), "colour": torch.zeros_like(row), "row": row}


def _around(edges: Tensor, centre: int, count: int) -> Int[Tensor, "node"]:
    """Return a node, its neighbours, and theirs, by number."""
    near = torch.zeros(count, dtype=torch.bool)
    near[centre] = True
    for _ in range(2):
        near[edges[1][near[edges[0]]]] = True
    return near.nonzero().flatten()


def graph_pictures(kept: Shown[GraphSchema]) -> Section | None:
    """Draw the kept graphs, or surroundings of nodes, with truth and prediction."""
    answers = kept.answers
    if answers is None or "edges" not in kept.tensors:
        return None
    right = None if answers.right is None else answers.right.tolist()
    words = graphs.GraphAnswers(truth=answers.truth, prediction=answers.prediction, right=right)
    return graphs.graphs_section(kept.tensors, words, level=kept.schema.level)
