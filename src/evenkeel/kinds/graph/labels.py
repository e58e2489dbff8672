"""Answers of graphs: the task that they imply; -1 among classes counted from 0 means no answer.

Whether -1 means that depends on the task: among numbers it is a number like any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from evenkeel.data.dataset import LabelledTable, set_target_apart
from evenkeel.data.target import Target
from evenkeel.kinds.graph.schema import GraphSet
from evenkeel.task import TaskChoice, infer_task

UNLABELLED = -1
BY_CLASS = ("class", "groups")  # kinds of targets whose values are names
FEWEST_CLASSES = 2  # besides -1: with one alone -1 is the other


@dataclass(frozen=True, kw_only=True)
class LabelledGraphs:
    """Graphs, the table of their answers, and the task."""

    graphs: GraphSet
    table: LabelledTable
    choice: TaskChoice


def label_graphs(graphs: GraphSet, task: str | None) -> LabelledGraphs:
    """Set the answers apart and infer the task where `task` is None."""
    if graphs.answers is None:
        raise TypeError("graphs were read without answers")
    count = _unlabelled(graphs)
    if count:
        known = _known(_without(graphs), task)
        if known.choice.kind in BY_CLASS:
            note = (
                f"{count} node(s) have the answer {UNLABELLED}, which is read as no answer; where it is a class, give "
                "it another number."
            )
            return replace(known, graphs=replace(known.graphs, notes=(note, *graphs.notes)))
    return _known(graphs, task)


def drop_unlabelled(graphs: GraphSet, target: Target) -> GraphSet:
    """Drop the answers -1 of new graphs where training did not have -1 as a class."""
    is_ordinary = target.kind not in BY_CLASS or UNLABELLED in target.levels
    return graphs if is_ordinary or _whole(graphs) is None else _without(graphs)


def _known(graphs: GraphSet, task: str | None) -> LabelledGraphs:
    assert graphs.answers is not None
    table = set_target_apart(graphs.answers, graphs.targets)
    return LabelledGraphs(graphs=graphs, table=table, choice=infer_task(table.target, task))


def _whole(graphs: GraphSet) -> pl.Series | None:
    """Return the one answer of each node as whole numbers; None for anything else, and for columns of a table."""
    if graphs.answers is None or graphs.level != "node" or len(graphs.targets) != 1 or graphs.values.table is not None:
        return None
    series = graphs.answers[graphs.targets[0]]
    return series if series.dtype.is_integer() else None


def _unlabelled(graphs: GraphSet) -> int:
    """Count the answers -1 where all others are 0 or more, and of two classes at least; else 0."""
    series = _whole(graphs)
    if series is None or series.min() != UNLABELLED:
        return 0
    enough = series.filter(series >= 0).n_unique() >= FEWEST_CLASSES
    return int((series == UNLABELLED).sum()) if enough else 0


def _without(graphs: GraphSet) -> GraphSet:
    assert graphs.answers is not None
    name = pl.col(graphs.targets[0])
    return replace(graphs, answers=graphs.answers.with_columns(pl.when(name != UNLABELLED).then(name)))
