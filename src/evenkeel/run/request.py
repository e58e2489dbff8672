"""A request of `fit` with everything decided: what is left is to train, calibrate, measure and record."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from evenkeel.chain import Chain
from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import pick
from evenkeel.doctor.before import measure_before
from evenkeel.finding import Finding
from evenkeel.heads import HeadPart
from evenkeel.heads.for_task import head_for
from evenkeel.kinds.base import NetShape
from evenkeel.network import Network, build_network
from evenkeel.observe import watch
from evenkeel.plan import Plan
from evenkeel.products import fast_products
from evenkeel.record import RunRecord
from evenkeel.run.measure import Measured, measure
from evenkeel.run.run import Run
from evenkeel.shapes import Tensor
from evenkeel.symptoms.history import Start
from evenkeel.task import TaskChoice
from evenkeel.train.baselines import verdict
from evenkeel.train.checkpoint import restore_loop, save_loop
from evenkeel.train.findings import findings_of
from evenkeel.train.heap import give_back_freed
from evenkeel.train.loop import Loop, epoch_order
from evenkeel.train.progress import TrainingProgress
from evenkeel.train.signals import EXIT_CODES, Interruption
from evenkeel.version import VERSION


@dataclass(frozen=True, kw_only=True)
class Request:
    """A call of `fit` with every choice made: data, task, plan, net, loss, device."""

    dataset: Dataset
    choice: TaskChoice
    plan: Plan
    net: nn.Module | None
    loss: Callable[..., Tensor] | None
    device: torch.device
    progress: bool
    checkpoint: Path | None
    resume: Literal["auto", "never"]
    command: str

    @property
    def part(self) -> HeadPart:
        """The record of the head."""
        return head_for(self.plan.task, self.dataset.target_schema.kind, name=self.plan.head)

    def carry_out(self, interruption: Interruption) -> Run:
        """Train, calibrate, measure. A signal leaves out what is left to do, and a checkpoint to go on from."""
        network, shape = build_network(self.plan, self.dataset, net=self.net, loss=self.loss)
        products = (self.plan.members or 1) * self.plan.batch_size * self.plan.width**2
        with fast_products(products, self.device) as changed:
            give_back_freed()
            loop = self._train(network, interruption)
            give_back_freed()
            measured = measure(network.cpu(), self.dataset, self.part, self.plan.seed, interruption)
        if interruption.reason and loop.state.ended not in EXIT_CODES:
            loop.state.ended = interruption.reason
            self._leave_checkpoint(loop)
        record = self._record(network, shape, loop, measured, _engine(self.device, changed))
        return Run(record, network, measured.sample)

    def _train(self, network: Network, interruption: Interruption) -> Loop:
        """Run the loop, from a checkpoint where an interrupted run left one; leave one if interrupted again."""
        loop = Loop(network, self.dataset, self.plan, device=self.device)
        loop.watch = watch(network, loop.step.optimizer)
        loop.watch.record.start = _before(loop)
        if self.resume == "auto" and self.checkpoint is not None and self.checkpoint.is_dir():
            restore_loop(loop, self.checkpoint)
        with TrainingProgress(self.plan.updates, "auto" if self.progress else "silent") as shown:
            loop.run(shown.watchers(lambda: interruption.reason))
        if loop.state.ended in EXIT_CODES:
            self._leave_checkpoint(loop)
        loop.keep_best()
        return loop

    def _leave_checkpoint(self, loop: Loop) -> None:
        """Save what the same call needs to go on."""
        if self.checkpoint is not None:
            save_loop(loop, self.checkpoint)

    def _record(self, network: Network, shape: NetShape, loop: Loop, measured: Measured, engine: str) -> RunRecord:
        """Everything besides weights, as one value."""
        state = loop.state
        data, plan, metric = self.dataset, self.plan, self.part.metrics[0]
        return RunRecord(
            version=VERSION,
            created=datetime.now().isoformat(timespec="seconds"),
            source=data.source,
            command=self.command,
            schema_=data.schema,
            target=data.target_schema,
            plan=plan,
            shape=shape,
            net="own" if self.net is None else "given",
            net_text=type(self.net).__name__ if self.net is not None else plan.net,
            loss_text=network.head.loss_text,
            reason=self.choice.reason,
            split=data.split.how,
            rows={name: len(getattr(data.split, name)) for name in ("train", "validation", "test")},
            notes=data.notes,
            looks=tuple(state.looks),
            best_update=state.best_update,
            seconds=state.seconds,
            ended=state.ended,
            engine=engine,
            metrics=measured.ours,
            baselines=measured.baselines,
            verdict=verdict(measured.ours, measured.baselines, metric),
            importance=measured.importance,
            findings=_findings(loop),
            chains=() if loop.watch is None else ends_of(loop.watch.history.chains),
        )


def _before(loop: Loop) -> Start:
    """What one batch shows before the first step."""
    # The first rows as they lie may all be of one class.
    rows = epoch_order(loop.rows, loop.plan.seed, 0)[: loop.plan.batch_size].to(loop.device)
    return measure_before(loop.network, pick(loop.inputs, rows), loop.target.index_select(0, rows))


def _findings(loop: Loop) -> tuple[Finding, ...]:
    """The findings of the loop's own looks, which know the validation part, then those of the watch over the chain."""
    of_looks = findings_of(loop.state.looks, loop.state.start_loss)
    symptoms = {finding.symptom for finding in of_looks}
    of_watch = () if loop.watch is None else loop.watch.judge(ended=True)
    return (*of_looks, *(finding for finding in of_watch if finding.symptom not in symptoms))


def ends_of(chains: Sequence[Chain]) -> tuple[Chain, ...]:
    """The first and the last of them."""
    return tuple(chains[:1]) + tuple(chains[1:][-1:])


def _engine(device: torch.device, changed: bool) -> str:
    """What computed: the same engine gives the same weights for the same seed."""
    products = "oneDNN" if changed else "default"
    threads = torch.get_num_threads()
    return (
        f"torch {torch.__version__}, {device}, {threads} threads, {products} products, Python {sys.version.split()[0]}"
    )
