"""Check of requests for pairs: no target, and no other task than to embed them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from evenkeel.data.table import read_table
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.pair.read import is_table


def check_request(data: Any, request: DataRequest[Any], sides: Sequence[str]) -> None:
    """Refuse a target or a task that pairs cannot have.

    Args:
        data: the pairs.
        request: the target and the task.
        sides: columns of the sides, where they are named.

    Raises:
        RequestError: there is a target or another task; for two texts with a score the message says how to predict it.
    """
    if request.target is not None:
        texts = _two_texts(data, request.target, sides)
        score = f"; to predict it from both texts: kind='text', settings={{'text': '{texts}'}}" if texts else ""
        raise RequestError(
            f"pairs have no target, got {request.target!r}; leave `target` out and name the sides: "
            f"settings={{'left': ..., 'right': ...}}{score}"
        )
    if request.task not in (None, "embedding"):
        raise RequestError(f"pairs are embedded, task={request.task!r} does not fit them; leave `task` out")


def _two_texts(data: Any, target: object, sides: Sequence[str]) -> str:
    """Name the two columns of texts beside a target, joined by a comma; empty where there are not two."""
    if not is_table(data):
        return ""
    try:
        frame = read_table(data)
    except DataError:  # the request is wrong whatever the data are
        return ""
    answers = [target] if isinstance(target, str) else list(target)  # type: ignore[call-overload]
    names = [name for name in (sides or frame.columns) if name in frame.columns and name not in answers]
    texts = [name for name in names if frame[name].dtype == pl.String]
    return ",".join(texts) if len(texts) == 2 else ""
