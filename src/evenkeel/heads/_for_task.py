"""The head that answers a task."""

from __future__ import annotations

from evenkeel.errors import RequestError, choices
from evenkeel.heads._record import HeadPart


def head_for(task: str) -> HeadPart:
    """The record of a task's head; where several answer it, the one that is chosen by the task.

    Raises:
        RequestError: no such task.
    """
    from evenkeel.heads import PARTS

    by_task = {record.call.task: record for record in PARTS.values() if record.chosen == "by-task"}
    if task not in by_task:
        raise RequestError(f"no task is called {task!r}; {choices(by_task, task)}")
    return by_task[task]
