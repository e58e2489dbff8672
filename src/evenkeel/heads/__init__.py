"""Heads: features to output to prediction. Each file is one head; it names its task, loss, start and metrics."""

from evenkeel.heads._record import HeadPart as HeadPart
from evenkeel.parts import Registry, fill

PARTS: Registry[HeadPart] = fill(__name__, "head", globals())


def head_for(task: str) -> HeadPart:
    """The head of a task."""
    from evenkeel.errors import RequestError, choices

    by_task = {record.call.task: record for record in PARTS.values()}
    if task not in by_task:
        raise RequestError(f"no task is called {task!r}; {choices(by_task, task)}")
    return by_task[task]
