"""`fit`: from data to a trained network, told in one page.

read -> set the target apart -> infer the task -> split and encode -> plan -> network -> train -> calibrate on the
validation rows -> measure on the test rows, beside two plain models -> a run, saved with its report.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from evenkeel.data.dataset import Dataset, SplitRequest, Weighting, build_dataset, set_target_apart
from evenkeel.errors import RequestError
from evenkeel.heads import head_for
from evenkeel.network import Network, build_network
from evenkeel.plan import Plan, make_plan
from evenkeel.record import RunRecord
from evenkeel.run import Run, as_frame, check_replaceable
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice, infer_task
from evenkeel.train.baselines import baseline_scores, verdict
from evenkeel.train.checkpoint import restore_loop, save_loop
from evenkeel.train.evaluate import outputs
from evenkeel.train.importance import importance
from evenkeel.train.loop import Loop
from evenkeel.train.precision import fast_products
from evenkeel.train.progress import TrainingProgress
from evenkeel.train.scores import scores
from evenkeel.train.signals import Interruption

SAMPLE_ROWS = 2000  # test rows kept with the run for the report's pictures
CHECKPOINT = "checkpoint"  # folder inside `out` that an interrupted run leaves


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
    time_limit: float | None = None,
    split: str | Mapping[str, Sequence[int]] | Sequence[str] = "random",
    validation: float = 0.15,
    test: float = 0.15,
    sample_weight: Weighting = None,
    device: str | torch.device = "auto",
    progress: bool = True,
    settings: Mapping[str, Any] | None = None,
    command: str = "",
) -> Run:
    """Train a sound network on a table and say how good it is on rows it has never seen.

    Args:
        data: a path (CSV, TSV, Parquet), `sample:NAME`, a polars or pandas frame, arrays or tensors (X, y).
        target: the column to predict, or several 0/1 columns; of `(X, y)` it is y.
        task: `regression`, `probabilistic-regression`, `positive-regression`, `single-label`, `multi-label`;
            inferred from the target if not given.
        kind: the kind of data; `table` is the one there is.
        net: a net by name, or any `nn.Module` from one float tensor (batch, column) to features (batch, unit).
        loss: a loss by name, an `ek.losses` module, or `loss(output, target) -> scalar`.
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
        command: what the report says under "how to repeat it".

    Returns:
        The run. Ctrl-C ends training early; the run then holds the best network so far.

    Raises:
        DataError: the data cannot be used; the message says what to change.
        RequestError: what was asked for does not exist or does not fit.

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
        request=SplitRequest(how=split, validation=validation, test=test, seed=seed),
        sample_weight=sample_weight,
    )
    chosen = {"seed": seed, "time_limit": time_limit, "epochs": epochs, **(settings or {})}
    chosen |= {"net": net} if isinstance(net, str) else {}
    chosen |= {"loss": loss} if isinstance(loss, str) else {}
    plan = make_plan(
        choice.task,
        rows=len(dataset.split.train),
        counts=choice.counts,
        settings={name: value for name, value in chosen.items() if value is not None or name in (settings or {})},
    )
    request = _Request(
        dataset=dataset,
        choice=choice,
        plan=plan,
        net=net if isinstance(net, nn.Module) else None,
        loss=loss if not isinstance(loss, str) else None,
        device=_device(device),
        progress=progress,
        checkpoint=None if out is None else Path(out) / CHECKPOINT,
        command=command,
    )
    run = request.carry_out()
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
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as problem:
        raise RequestError(
            f"device {name!r} cannot be used here: {str(problem).splitlines()[0]}; try 'cpu'"
        ) from problem
    return device


@dataclass(frozen=True, kw_only=True)
class _Request:
    """Everything decided; what is left is to do it."""

    dataset: Dataset
    choice: TaskChoice
    plan: Plan
    net: nn.Module | None
    loss: Callable[..., Tensor] | None
    device: torch.device
    progress: bool
    checkpoint: Path | None
    command: str

    def carry_out(self) -> Run:
        """Train, calibrate, measure."""
        data, plan, part = self.dataset, self.plan, head_for(self.plan.task)
        network, shape = build_network(plan, data, net=self.net, loss=self.loss)
        with fast_products((plan.members or 1) * plan.batch_size * plan.width**2, self.device) as changed:
            loop = self._train(network)
            network.cpu()
            state, finished = loop.state, loop.state.ended not in ("SIGINT", "SIGTERM")
            held, tested = torch.from_numpy(data.split.validation), torch.from_numpy(data.split.test)
            if len(held):
                network.head.calibrate(outputs(network, data.inputs, held), data.target[held])
            found = outputs(network, data.inputs, tested) if len(tested) else None
            weight = None if data.weight is None else data.weight[tested]
            ours = scores(part, network.head, found, data.target[tested], weight) if found is not None else {}
            theirs = baseline_scores(part, data, seed=plan.seed) if finished else {}
            columns = importance(network, part, data, seed=plan.seed) if finished else []
        record = RunRecord(
            version=_version(),
            created=datetime.now().isoformat(timespec="seconds"),
            source=data.source,
            command=self.command,
            schema_=data.schema,
            target=data.target_schema,
            plan=plan,
            shape=shape,
            net="own" if self.net is None else "given",
            net_text=type(self.net).__name__ if self.net is not None else plan.net,
            reason=self.choice.reason,
            split=data.split.how,
            rows={name: len(getattr(data.split, name)) for name in ("train", "validation", "test")},
            notes=data.notes,
            looks=tuple(state.looks),
            best_update=state.best_update,
            seconds=state.seconds,
            ended=state.ended,
            engine=_engine(self.device, changed),
            metrics=ours,
            baselines=theirs,
            verdict=verdict(ours, theirs, part.metrics[0]),
            importance=tuple(columns),
        )
        return Run(record, network, _sample(found, data, tested, network))

    def _train(self, network: Network) -> Loop:
        """Run the loop, from a checkpoint where an interrupted run left one; leave one if interrupted again."""
        loop = Loop(network, self.dataset, self.plan, device=self.device)
        if self.checkpoint is not None and self.checkpoint.is_dir():
            restore_loop(loop, self.checkpoint)
        style = "auto" if self.progress else "silent"
        with Interruption() as interruption, TrainingProgress(self.plan.updates, style) as shown:
            loop.run(shown.watchers(lambda: interruption.reason))
            if interruption.reason and self.checkpoint is not None:
                save_loop(loop, self.checkpoint)
        loop.keep_best()
        return loop


def _version() -> str:
    from evenkeel import __version__

    return __version__


def _engine(device: torch.device, changed: bool) -> str:
    """What computed: the same engine gives the same weights for the same seed."""
    products = "oneDNN" if changed else "default"
    threads = torch.get_num_threads()
    return (
        f"torch {torch.__version__}, {device}, {threads} threads, {products} products, Python {sys.version.split()[0]}"
    )


def _sample(found: Tensor | None, data: Dataset, tested: Tensor, network: Network) -> dict[str, Tensor]:
    """Outputs and targets of some test rows."""
    if found is None:
        return {}
    chosen = torch.from_numpy(np.sort(np.random.default_rng(0).permutation(len(tested))[:SAMPLE_ROWS]))
    axis = 0 if network.head.members is None else 1
    return {"output": found.index_select(axis, chosen), "target": data.target[tested[chosen]]}
