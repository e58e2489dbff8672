"""The head that answers a task."""

from __future__ import annotations

from evenkeel.errors import RequestError, choices
from evenkeel.heads.base import HeadPart


def head_for(task: str, target: str | None = None) -> HeadPart:
    """The record of a task's head; where several answer it, the one for such a target, else the task's own.

    Raises:
        RequestError: no such task.
    """
    from evenkeel.heads import PARTS

    for record in PARTS.values():
        if record.call.task == task and record.target == target:
            return record
    by_task = {record.call.task: record for record in PARTS.values() if record.chosen == "by-task"}
    if task not in by_task:
        raise RequestError(f"no task is called {task!r}; {choices(by_task, task)}")
    return by_task[task]
