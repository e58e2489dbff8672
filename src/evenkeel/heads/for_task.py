"""The head that answers a task: the one that is named, or chosen by the target, or the usual one."""

from __future__ import annotations

from evenkeel.errors import RequestError, choices
from evenkeel.heads.base import HeadPart


def head_for(task: str, target: str | None = None, *, name: str | None = None) -> HeadPart:
    """The record of a task's head: of that name, else the one for such a target, else the task's own.

    Raises:
        RequestError: no such task, or a head of that name that answers another, or learns from another target.
    """
    from evenkeel.heads import PARTS

    if name is not None:
        return _fitting(PARTS[name], task, target)
    by_task = {record.call.task: record for record in PARTS.values() if record.chosen == "by-task"}
    if task not in by_task:
        raise RequestError(f"no task is called {task!r}; {choices(by_task, task)}")
    by_target = {record.target: record for record in heads_of(task) if record.chosen == "by-target"}
    return by_task[task] if target is None else by_target.get(target, by_task[task])


def heads_of(task: str, name: str | None = None) -> list[HeadPart]:
    """The heads that may answer a task: the one of that name, else those that the task or its target choose."""
    from evenkeel.heads import PARTS

    if name is not None:
        return [_fitting(PARTS[name], task, None)]
    return [record for record in PARTS.values() if record.call.task == task and record.chosen != "by-name"]


def _fitting(record: HeadPart, task: str, target: str | None) -> HeadPart:
    """The head, if it answers the task and learns from such a target."""
    if record.call.task != task:
        raise RequestError(
            f"head {record.name!r} answers {record.call.task}, not {task}; "
            f"try task={record.call.task!r}, or leave `head` out"
        )
    if target not in (None, record.target):
        raise RequestError(
            f"head {record.name!r} learns from a target of kind {record.target!r}, these data have {target!r}; "
            "leave `head` out"
        )
    return record
