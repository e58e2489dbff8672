"""What kind of question is the target? Inferred from its values, stated in one sentence, and easy to overrule.

several 0/1 columns, or lists of labels          multi-label
text, Booleans, few whole numbers                single-label
counts, or non-negative numbers with a long tail positive-regression
other real numbers                               probabilistic-regression
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import polars as pl

from evenkeel.data.target import TargetKind, most_classes
from evenkeel.errors import DataError, RequestError, choices
from evenkeel.shapes import Tensor

Task = Literal[
    "regression",
    "probabilistic-regression",
    "positive-regression",
    "single-label",
    "multi-label",
    "embedding",
    "generation",
]
KINDS: dict[str, TargetKind] = {
    "regression": "number",
    "probabilistic-regression": "number",
    "positive-regression": "number",
    "single-label": "class",
    "multi-label": "labels",
    "embedding": "groups",
}
# The task of a target that is known by its kind alone, where several tasks learn from it.
USUAL: dict[TargetKind, Task] = {
    "number": "probabilistic-regression",
    "series": "probabilistic-regression",
    "class": "single-label",
    "labels": "multi-label",
    "tokens": "generation",
    "inputs": "generation",
    "groups": "embedding",
    "pairs": "embedding",
}
# Whole numbers with at most this many different values are rather grades or classes than measurements.
FEW_VALUES = 20
# A tail counts as long where the skewness exceeds 1 (an exponential has 2) and the largest value is this many medians.
SKEWNESS = 1.0
MEDIANS = 4.0


@dataclass(frozen=True, kw_only=True)
class TaskChoice:
    """The task, the kind of target it reads, whether numbers are counts, and the reason in one sentence."""

    task: Task
    kind: TargetKind
    counts: bool
    reason: str


def infer_task(target: pl.DataFrame, task: str | None = None) -> TaskChoice:
    """The task of a tidied target, or the one asked for.

    Raises:
        RequestError: no such task.
        DataError: several target columns that are not labels.

    Example:
        >>> infer_task(pl.DataFrame({"visits": [0, 0, 1, 2, 0, 5, 89, 12, 3, 4]})).reason
        'the target holds counts with a long tail up to 89'
    """
    if task is not None:
        check_task(task)
        if task not in KINDS:
            raise RequestError(f"{task} learns from no target column; leave `target` out, or try {', '.join(KINDS)}")
        if target.width > 1 and task != "multi-label":
            raise DataError(f"{target.width} target columns are read as labels only; try task='multi-label'")
        return _choice(task, target, "as asked")
    if target.width > 1:
        return _choice("multi-label", target, f"{target.width} target columns")
    series = target.to_series().drop_nulls()
    if series.dtype == pl.List:
        return _choice("multi-label", target, "each row holds a list of labels")
    if not series.dtype.is_numeric():
        return _choice(
            "single-label", target, f"the target is {'true or false' if series.dtype == pl.Boolean else 'text'}"
        )
    return _of_numbers(target, series)


def choose_task(kind: TargetKind, target: object, task: str | None = None) -> TaskChoice:
    """The task of a target that was read already, or the one asked for.

    Example:
        >>> import torch
        >>> choose_task("number", torch.tensor([1.0, 2.0])).counts
        True
    """
    counts = kind == "number" and isinstance(target, Tensor) and bool((target == target.round()).all())
    chosen: Any = task or USUAL[kind]
    return TaskChoice(task=chosen, kind=kind, counts=counts, reason="a ready dataset")


def check_task(task: str) -> None:
    """Refuse a task that does not exist."""
    if task not in get_args(Task):
        raise RequestError(f"no task is called {task!r}; {choices(get_args(Task), task)}")


def _of_numbers(target: pl.DataFrame, series: pl.Series) -> TaskChoice:
    """Classes, counts, long tails, or plain real numbers."""
    whole = _whole(series)
    distinct = series.n_unique()
    if whole and distinct <= min(FEW_VALUES, most_classes(len(series))):
        return _choice("single-label", target, f"the target has {distinct} different whole numbers")
    low = float(series.min() or 0.0)  # type: ignore[arg-type]
    high, median = float(series.max() or 0.0), float(series.median() or 0.0)  # type: ignore[arg-type]
    tail = float(series.skew() or 0.0) > SKEWNESS and high > MEDIANS * median
    if low >= 0 and tail:
        what = "counts" if whole else "numbers of 0 or more"
        return _choice("positive-regression", target, f"the target holds {what} with a long tail up to {high:g}")
    return _choice("probabilistic-regression", target, f"the target holds real numbers from {low:g} to {high:g}")


def _whole(series: pl.Series) -> bool:
    """Whether every value is a whole number."""
    return series.dtype.is_integer() or bool((series == series.round()).all())


def _choice(task: str, target: pl.DataFrame, reason: str) -> TaskChoice:
    counts = (
        KINDS[task] == "number" and target.to_series().dtype.is_numeric() and _whole(target.to_series().drop_nulls())
    )
    return TaskChoice(task=task, kind=KINDS[task], counts=counts, reason=reason)  # type: ignore[arg-type]
