"""`fit`: from data to a trained network, told in one page.

read -> set the target apart -> infer the task -> split and encode -> plan -> network -> train -> calibrate on the
validation rows -> measure on the test rows, beside two plain models -> a run, saved with its report.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from evenkeel.data.dataset import Dataset, SplitRequest
from evenkeel.data.split import GivenParts
from evenkeel.data.weights import Weighting
from evenkeel.errors import RequestError
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds import Kind
from evenkeel.kinds.base import DataRequest, Prepared
from evenkeel.kinds.choose import kind_of, read_options
from evenkeel.nets import PARTS as NETS
from evenkeel.nets.blocks import extent_of
from evenkeel.plan import Plan, make_plan
from evenkeel.run.request import Request
from evenkeel.run.run import CHECKPOINT, Run, check_replaceable
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice, check_task
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
            `embedding`, `generation`; inferred from the target if not given.
        kind: the kind of data, see `evenkeel parts kinds`; recognised if not given.
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
        RequestError: what was asked for does not exist or does not fit.
        SavedRunError: `out` cannot be written, holds something else, or an interrupted run of another request.

    Example:
        >>> run = fit("sample:wine", target="target", progress=False, settings={"updates": 60, "members": 2})
        >>> run.plan.task
        'single-label'
    """
    if out is not None:
        check_replaceable(Path(out))
    if task is not None:
        check_task(task)
    if not isinstance(net, str | nn.Module | None):
        came = f"the class {net.__name__}; give {net.__name__}(...)" if isinstance(net, type) else type(net).__name__
        raise RequestError(f"net must be a name ({', '.join(NETS)}) or a module from inputs to features, got {came}")
    found = (
        KINDS[data.schema.kind]
        if isinstance(data, Dataset)
        else kind_of(data, kind, target=target, task=task, settings=settings or ())
    )
    chosen = sort_settings(dict(settings or {}), found, net)
    wanted = DataRequest(
        target=target,
        task=task,
        split=SplitRequest(how=split, validation=float(validation), test=float(test), seed=seed),
        weight=sample_weight,
        options=read_options(found, chosen.of_kind),
        net="given" if isinstance(net, nn.Module) else chosen.net,
    )
    prepared = ready(data, task) if isinstance(data, Dataset) else found.prepare(data, wanted)
    dataset, choice = prepared.dataset, prepared.choice
    given = {"seed": seed, "time_limit": time_limit, "epochs": epochs, "loss": loss if isinstance(loss, str) else None}
    given |= {"net": net} if isinstance(net, str) else {}
    plan = _plan(found, chosen, prepared, {name: value for name, value in given.items() if value is not None})
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


def _plan(kind: Kind, chosen: Settings, prepared: Prepared, given: Mapping[str, Any]) -> Plan:
    """The recipe of the kind for its net, with what was set laid over it."""
    dataset, choice = prepared.dataset, prepared.choice
    said = "net" in given or "net" in chosen.of_plan
    net = chosen.net if said or kind.usual is None else kind.usual(dataset)
    recipe = {"net": net, **kind.recipe(net, dataset, choice)}
    of_net = dict(chosen.of_net)
    size = of_net.pop("size", None)
    recipe |= {} if size is None else vars(extent_of(NETS[net].sizes, size, None, None))
    if of_net:
        recipe["net_options"] = {**recipe.get("net_options", {}), **of_net}
    numbers = dataset.inputs.get("numbers")
    return make_plan(
        choice.task,
        rows=len(dataset.split.train),
        numbers=numbers.shape[1] if isinstance(numbers, Tensor) else 1,
        counts=choice.counts,
        settings={**given, **chosen.of_plan},
        recipe=recipe,
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What was set, sorted by whom it is for, and the name of the net that this goes with."""

    of_kind: Mapping[str, Any]
    of_net: Mapping[str, Any]
    of_plan: Mapping[str, Any]
    net: str


def sort_settings(settings: Mapping[str, Any], kind: Kind, net: str | nn.Module | None) -> Settings:
    """Whose settings these are: of the kind's reading, of the net alone, or of the plan, which names what it lacks."""
    name = net if isinstance(net, str) else str(settings.get("net", kind.net))
    arguments = inspect.signature(NETS[name].call).parameters
    of_kind = {key: value for key, value in settings.items() if key in kind.options.model_fields}
    rest = {key: value for key, value in settings.items() if key not in of_kind}
    of_net = {key: value for key, value in rest.items() if key in arguments and key not in Plan.model_fields}
    of_plan = {key: value for key, value in rest.items() if key not in of_net}
    for key in of_plan:
        others = [other for other, part in NETS.items() if key in inspect.signature(part.call).parameters]
        if key not in (*Plan.model_fields, "epochs") and others:
            raise RequestError(f"net {name!r} has no setting {key!r}; it is one of net {' and '.join(others)}")
    return Settings(of_kind=of_kind, of_net=of_net, of_plan=of_plan, net=name)


def ready(dataset: Dataset, task: str | None) -> Prepared:
    """A dataset as it is, with the task of its target."""
    kind = dataset.target_schema.kind
    inferred = {
        "number": "probabilistic-regression",
        "series": "probabilistic-regression",
        "class": "single-label",
        "labels": "multi-label",
        "tokens": "generation",
        "inputs": "generation",
        "groups": "embedding",
        "pairs": "embedding",
    }
    name: Any = task or inferred[kind]
    target = dataset.target
    counts = kind == "number" and isinstance(target, Tensor) and bool((target == target.round()).all())
    return Prepared(dataset=dataset, choice=TaskChoice(task=name, kind=kind, counts=counts, reason="a ready dataset"))


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
