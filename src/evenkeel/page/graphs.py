"""Some test graphs, or what lies around some test nodes, drawn with what was true and what was predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evenkeel.page.layout import places
from evenkeel.page.sections import Section
from evenkeel.svg import (
    BAD,
    FONT_SIZE,
    GOOD,
    INK,
    MUTED,
    SERIES,
    Entry,
    colour,
    element,
    escape,
    legend,
    picture,
    segment,
    shorten,
    words,
)

ACROSS = 3
SIZE, LINE, GAP = 240.0, 17.0, 16.0  # pixels: of a panel, of a line of words, between panels
RADIUS = 5.0  # pixels, of a node
Kept = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class GraphAnswers:
    """What was true and predicted of each kept test row, in words; `right` is None where neither fits."""

    truth: Sequence[str]
    prediction: Sequence[str]
    right: Sequence[bool] | None = None


@dataclass(frozen=True, kw_only=True)
class _Node:
    fill: str
    ring: str | None = None
    hover: str = ""


def graphs_section(kept: Kept, answers: GraphAnswers, *, level: Literal["node", "graph"]) -> Section | None:
    """Up to six pictures; None where nothing was kept.

    Args:
        kept: `edges` (2, edge), `graph` (node,) the picture of each node, `colour` (node,) a small number, and `row`,
            the place among the test rows of each picture, or of each node (-1: not among them).
        answers: of the test rows.
        level: whether a graph or a node has an answer.

    Example:
        >>> kept = {"edges": np.array([[0], [1]]), "graph": np.zeros(2, int), "colour": np.zeros(2, int)}
        >>> answers = GraphAnswers(truth=["yes"], prediction=["no"], right=[False])
        >>> graphs_section({**kept, "row": np.array([0])}, answers, level="graph").svg.count("<circle")
        2
    """
    if not kept or not len(kept["graph"]):
        return None
    nodes, entries = _by_answer(kept, answers) if level == "node" else (_by_colour(kept), [])
    count = int(kept["graph"].max()) + 1
    width = min(ACROSS, count) * (SIZE + GAP) - GAP
    key, top = legend(entries, left=0, top=0, right=width)
    heads = _heads(kept, answers, count) if level == "graph" else [("", MUTED)] * count
    body = key + "".join(_panel(kept, nodes, number, heads[number], top) for number in range(count))
    title = "Graphs of the test part" if level == "graph" else "Around some nodes of the test part"
    height = top + -(-count // ACROSS) * (SIZE + LINE + GAP)
    several = len(np.unique(kept["colour"])) > 1  # of nodes with real numbers all have one colour
    caption = (
        "A colour stands for the commonest feature of a node." * several
        if level == "graph"
        else "Filled with the true answer; a ring where another was predicted. Small nodes are not of the test part."
    )
    return Section(title=title, svg=picture(body, width=width, height=height, title=title), caption=caption)


def _by_colour(kept: Kept) -> list[_Node]:
    return [_Node(fill=colour(int(number))) for number in kept["colour"]]


def _by_answer(kept: Kept, answers: GraphAnswers) -> tuple[list[_Node], list[Entry]]:
    """Nodes in the colour of their true answer, if there are few; and the legend."""
    rows: list[int] = kept["row"].tolist()
    drawn = [row for row in rows if row >= 0]
    names = sorted({answer for row in drawn for answer in (str(answers.truth[row]), str(answers.prediction[row]))})
    few = answers.right is not None and len(names) <= len(SERIES) + 1
    paint = {name: colour(place) if place < len(SERIES) else INK for place, name in enumerate(names)}
    nodes = []
    for row in rows:
        if row < 0:
            nodes.append(_Node(fill=MUTED))
            continue
        wrong = answers.right is not None and not answers.right[row]
        ring = (paint[answers.prediction[row]] if few else BAD) if wrong else None
        fill = paint[answers.truth[row]] if few else colour(0)
        nodes.append(
            _Node(fill=fill, ring=ring, hover=f"true: {answers.truth[row]} · predicted: {answers.prediction[row]}")
        )
    return nodes, [Entry(name=name, colour=paint[name], shape="dot") for name in names] if few else []


def _heads(kept: Kept, answers: GraphAnswers, count: int) -> list[tuple[str, str]]:
    """The words above each picture and their colour."""
    captions = []
    for row in kept["row"].tolist()[:count]:
        fill = MUTED if answers.right is None else GOOD if answers.right[row] else BAD
        captions.append((f"true: {answers.truth[row]} · predicted: {answers.prediction[row]}", fill))
    return captions


def _panel(kept: Kept, nodes: Sequence[_Node], number: int, head: tuple[str, str], top: float) -> str:
    """One graph in its place of the grid."""
    mine = np.flatnonzero(kept["graph"] == number)
    edges = kept["edges"][:, np.isin(kept["edges"][0], mine)] - mine[0]
    left = (number % ACROSS) * (SIZE + GAP)
    up = top + (number // ACROSS) * (SIZE + LINE + GAP)
    points = _fitted(places(edges, len(mine))) + np.array([left, up + LINE])
    once = np.unique(np.sort(edges, axis=0), axis=1).T if edges.size else []
    lines = [segment(*points[one], *points[other], stroke=INK, stroke_opacity=0.35) for one, other in once]
    dots = [_dot(nodes[node], *point) for node, point in zip(mine.tolist(), points, strict=True)]
    line = words(shorten(head[0], FONT_SIZE, SIZE), left, up + 12, fill=head[1]) if head[0] else ""
    return line + "".join(lines) + "".join(dots)


def _fitted(points: np.ndarray) -> np.ndarray:
    """Places within a panel, as large as it allows but no edge longer than a sixth of it."""
    low, high = points.min(0), points.max(0)
    room = SIZE - 4 * RADIUS
    scale = min(room / max(float((high - low).max()), 1e-9), SIZE / 6)
    return (points - (low + high) / 2) * scale + SIZE / 2


def _dot(node: _Node, x: float, y: float) -> str:
    tip = element("title", escape(node.hover)) if node.hover else ""
    ring = {"stroke": node.ring, "stroke_width": 3.0} if node.ring else {}
    radius = RADIUS if node.hover or node.fill != MUTED else RADIUS / 2
    return element("circle", tip, cx=x, cy=y, r=radius, fill=node.fill, **ring)
