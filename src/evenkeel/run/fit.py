"""`fit`: from data to a trained network, on one page.

check the call -> find the kind of data -> sort the settings -> read, split, encode, infer the task -> plan -> carry it
out: train, calibrate on validation rows, measure on test rows beside plain models -> a run, saved with its report.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from evenkeel.data.dataset import Dataset, SplitRequest
from evenkeel.data.split import GivenParts
from evenkeel.data.weights import Weighting
from evenkeel.errors import RequestError
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.base import DataRequest, Prepared
from evenkeel.kinds.choose import kind_of, read_options
from evenkeel.nets import PARTS as NETS
from evenkeel.run.device import device_of
from evenkeel.run.request import Request
from evenkeel.run.run import CHECKPOINT, Run, check_replaceable
from evenkeel.run.settings import plan_of, sort_settings
from evenkeel.shapes import Tensor
from evenkeel.task import check_task, choose_task
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
    """Train a sound network on data of any kind and say how good it is on examples it has never seen.

    Args:
        data: a path (a table as CSV, TSV or Parquet; a folder with a folder of images or texts for each class; a text;
            .ts, .npz and IDX files), `sample:NAME`, a polars or pandas frame, arrays or tensors (X, y), graphs.
        target: the column to predict, or several 0/1 columns; of `(X, y)` it is y, of a folder for each class these.
        task: `regression`, `probabilistic-regression`, `positive-regression`, `single-label`, `multi-label`,
            `embedding`, `generation`; inferred from the target by default.
        kind: the kind of data, see `evenkeel parts kinds`; recognised by default.
        net: a net by name, or any `nn.Module` from what the kind gives it to features (batch, unit). For a table that
            is one float tensor (batch, column), or `numbers` (batch, column), NaN where missing, and `categories`
            (batch, column), if its forward names them; images come as float (batch, channel, height, width), sequences
            as (batch, step, channel). A copy is trained.
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
        settings: any field of the plan, argument of the net, or option of the kind: `{"width": 128, "horizon": 24}`.
        resume: `auto` goes on with an interrupted run in `out`, `never` starts anew.
        command: what the report says under "how to repeat it".

    Returns:
        The run. Ctrl-C ends training early; the run then holds the best network so far.

    Raises:
        DataError: the data cannot be used; the message says what to change.
        RequestError: a name, setting or device that does not exist or does not fit.
        SavedRunError: `out` cannot be written, holds something else, or an interrupted run of another request.

    Example:
        >>> run = fit("sample:wine", target="target", progress=False, settings={"updates": 60, "members": 2})
        >>> run.plan.task
        'single-label'
    """
    check_call(out, task, net)
    of = (
        KINDS[data.schema.kind]
        if isinstance(data, Dataset)
        else kind_of(data, kind, target=target, task=task, settings=settings or ())
    )
    options = sort_settings(settings or {}, of, net, seed=seed, time_limit=time_limit, epochs=epochs, loss=loss)
    wanted = DataRequest(
        target=target,
        task=task,
        split=SplitRequest(how=split, validation=float(validation), test=float(test), seed=seed),
        weight=sample_weight,
        options=read_options(of, options.of_kind),
        net="given" if isinstance(net, nn.Module) else options.net,
    )
    prepared = prepared_already(data, task) if isinstance(data, Dataset) else of.prepare(data, wanted)
    request = Request(
        dataset=prepared.dataset,
        choice=prepared.choice,
        plan=plan_of(of, options, prepared),
        net=copy.deepcopy(net) if isinstance(net, nn.Module) else None,
        loss=None if isinstance(loss, str) else loss,
        device=device_of(device),
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


def check_call(out: str | Path | None, task: str | None, net: object) -> None:
    """Refuse what can be seen to be wrong before anything is read.

    Raises:
        RequestError: no such task, or a net that is neither a name nor a module.
        SavedRunError: `out` holds something that is not a run.
    """
    if out is not None:
        check_replaceable(Path(out))
    if task is not None:
        check_task(task)
    if not isinstance(net, str | nn.Module | None):
        came = f"the class {net.__name__}; give {net.__name__}(...)" if isinstance(net, type) else type(net).__name__
        raise RequestError(f"net must be a name ({', '.join(NETS)}) or a module from inputs to features, got {came}")


def prepared_already(dataset: Dataset, task: str | None) -> Prepared:
    """A dataset as it is, with the task of its target."""
    return Prepared(dataset=dataset, choice=choose_task(dataset.target_schema.kind, dataset.target, task))
