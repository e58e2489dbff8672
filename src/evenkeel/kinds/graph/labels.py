"""The answers of graphs: what task they ask for, and that -1 among classes counted from 0 means no answer.

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
class Known:
    """Graphs, their answers set apart, and the task of these."""

    found: GraphSet
    table: LabelledTable
    choice: TaskChoice


def label_graphs(found: GraphSet, task: str | None) -> Known:
    """Set the answers apart and infer the task, unless it was asked for."""
    if found.answers is None:
        raise TypeError("graphs were read without answers")
    count = _unlabelled(found)
    if count:
        known = _known(_without(found), task)
        if known.choice.kind in BY_CLASS:
            note = (
                f"{count} node(s) have the answer {UNLABELLED}, which is read as no answer; where it is a class, give "
                "it another number."
            )
            return replace(known, found=replace(known.found, notes=(note, *found.notes)))
    return _known(found, task)


def drop_unlabelled(found: GraphSet, target: Target) -> GraphSet:
    """New graphs, with -1 as no answer where training did not have it for a class."""
    knows = target.kind not in BY_CLASS or UNLABELLED in target.levels
    return found if knows or _whole(found) is None else _without(found)


def _known(found: GraphSet, task: str | None) -> Known:
    assert found.answers is not None
    table = set_target_apart(found.answers, found.targets)
    return Known(found=found, table=table, choice=infer_task(table.target, task))


def _whole(found: GraphSet) -> pl.Series | None:
    """The one answer of each node as whole numbers; None where it is something else, or a column of a table."""
    if found.answers is None or found.level != "node" or len(found.targets) != 1 or found.values.table is not None:
        return None
    series = found.answers[found.targets[0]]
    return series if series.dtype.is_integer() else None


def _unlabelled(found: GraphSet) -> int:
    """How many answers are -1 where all others are 0 or more, and of two classes at least."""
    series = _whole(found)
    if series is None or series.min() != UNLABELLED:
        return 0
    enough = series.filter(series >= 0).n_unique() >= FEWEST_CLASSES
    return int((series == UNLABELLED).sum()) if enough else 0


def _without(found: GraphSet) -> GraphSet:
    assert found.answers is not None
    name = pl.col(found.targets[0])
    return replace(found, answers=found.answers.with_columns(pl.when(name != UNLABELLED).then(name)))
