"""`fit`: from data to a trained network, told in one page.

read -> set the target apart -> infer the task -> split and encode -> plan -> network -> train -> calibrate on the
validation rows -> measure on the test rows, beside two plain models -> a run, saved with its report.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from evenkeel._request import Request
from evenkeel.data.dataset import Dataset, SplitRequest, Weighting, build_dataset, set_target_apart
from evenkeel.data.split import GivenParts
from evenkeel.errors import RequestError
from evenkeel.plan import make_plan
from evenkeel.run import CHECKPOINT, Run, as_frame, check_replaceable
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice, infer_task
from evenkeel.train.signals import Interruption


def fit(
    data: Any,
    *,
    target: str | Sequence[str] | None = None,
    task: str | None = None,
    kind: str | None = None,
    net: str | nn.Module | None = None,
    loss: str | Callable[..., Tensor] | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    epochs: int | None = None,
    time_limit: float | int | None = None,
    split: str | GivenParts = "random",
    validation: float | int = 0.15,
    test: float | int = 0.15,
    sample_weight: Weighting = None,
    device: str | torch.device = "auto",
    progress: bool = True,
    settings: Mapping[str, Any] | None = None,
    resume: Literal["auto", "never"] = "auto",
    command: str = "",
) -> Run:
    """Train a sound network on a table and say how good it is on rows it has never seen.

    Args:
        data: a path (CSV, TSV, Parquet), `sample:NAME`, a polars or pandas frame, arrays or tensors (X, y).
        target: the column to predict, or several 0/1 columns; of `(X, y)` it is y.
        task: `regression`, `probabilistic-regression`, `positive-regression`, `single-label`, `multi-label`;
            inferred from the target if not given.
        kind: the kind of data; `table` is the one there is.
        net: a net by name, or any `nn.Module` from one float tensor (batch, column) to features (batch, unit); or from
            `numbers` (batch, column), NaN where missing, and `categories` (batch, column), if its forward names them.
            A copy is trained.
        loss: a loss by name, an `ek.losses` module, or `loss(output, target) -> scalar` of what the head gives
            (logits; numbers without unit, as the target is then too), called for each member of an ensemble.
        out: folder to save the run and its report in.
        seed: varies first weights, order of the rows and the random split.
        epochs: passes over the training rows, instead of the plan's budget of updates.
        time_limit: seconds of training at most.
        split: `random`, `time:COLUMN`, `group:COLUMN`, a word for each row, or a mapping of row numbers.
        validation: share of the rows that decides when to stop.
        test: share of the rows that is only measured on.
        sample_weight: a column, one number for each row, `balanced`, or a mapping of class to weight.
        device: `auto`, `cpu`, `cuda`, ...
        progress: whether to show how training goes.
        settings: any field of the plan, such as `{"width": 128}`.
        resume: `auto` goes on with an interrupted run in `out`, `never` starts anew.
        command: what the report says under "how to repeat it".

    Returns:
        The run. Ctrl-C ends training early; the run then holds the best network so far.

    Raises:
        DataError: the data cannot be used; the message says what to change.
        RequestError: what was asked for does not exist or does not fit.
        SavedRunError: `out` cannot be written, holds something else, or an interrupted run of another request.

    Example:
        >>> run = fit("sample:wine", target="target", progress=False, settings={"updates": 60, "members": 2})
        >>> run.plan.task
        'single-label'
    """
    if kind not in (None, "table"):
        raise RequestError(f"kind {kind!r} is not known; there is: 'table'")
    if out is not None:
        check_replaceable(Path(out))
    dataset, choice = prepare(
        data,
        target=target,
        task=task,
        request=SplitRequest(how=split, validation=float(validation), test=float(test), seed=seed),
        sample_weight=sample_weight,
    )
    chosen = {"seed": seed, "time_limit": time_limit, "epochs": epochs, **(settings or {})}
    chosen |= {"net": net} if isinstance(net, str) else {}
    chosen |= {"loss": loss} if isinstance(loss, str) else {}
    plan = make_plan(
        choice.task,
        rows=len(dataset.split.train),
        numbers=len(dataset.schema.numbers),
        counts=choice.counts,
        settings={name: value for name, value in chosen.items() if value is not None or name in (settings or {})},
    )
    request = Request(
        dataset=dataset,
        choice=choice,
        plan=plan,
        net=copy.deepcopy(net) if isinstance(net, nn.Module) else None,
        loss=loss if not isinstance(loss, str) else None,
        device=_device(device),
        progress=progress,
        checkpoint=None if out is None else Path(out) / CHECKPOINT,
        resume=resume,
        command=command,
    )
    with Interruption() as interruption:
        run = request.carry_out(interruption)
        if out is not None:
            run.save(out)
    return run


def prepare(
    data: Any,
    *,
    target: str | Sequence[str] | None,
    task: str | None,
    request: SplitRequest,
    sample_weight: Weighting = None,
) -> tuple[Dataset, TaskChoice]:
    """Data as tensors, and the task of its target."""
    if isinstance(data, Dataset):
        inferred = {"number": "probabilistic-regression", "class": "single-label", "labels": "multi-label"}
        name: Any = task or inferred[data.target_schema.kind]
        whole = data.target_schema.kind == "number" and bool((data.target == data.target.round()).all())
        return data, TaskChoice(task=name, kind=data.target_schema.kind, counts=whole, reason="a ready dataset")
    frame = as_frame(data, None if target is None else ((target,) if isinstance(target, str) else target))
    if target is None:
        if not isinstance(data, tuple):
            raise RequestError(f"which column is to be predicted? Give target=...; there are: {frame.columns[:20]}")
        target = [name for name in frame.columns if name == "target" or name.startswith("target_")]
        target = target[0] if len(target) == 1 else target
    table = set_target_apart(frame, target)
    choice = infer_task(table.target, task)
    source = str(data) if isinstance(data, (str, Path)) else f"a {type(data).__name__} of {frame.height} rows"
    return build_dataset(table, choice.kind, request, weight=sample_weight, source=source), choice


def _device(name: str | torch.device) -> torch.device:
    """The device asked for; `auto` is a GPU where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as problem:
        raise RequestError(f"no device is called {name!r}; try 'auto', 'cpu' or 'cuda'") from problem
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as problem:
        raise RequestError(
            f"device {name!r} cannot be used here: {str(problem).splitlines()[0]}; try 'cpu'"
        ) from problem
    return device
