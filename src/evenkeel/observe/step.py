"""One training step as its events tell it: when to look, what to look at, when it is over.

A step is one of the first optimizer. With several optimizers a look stays open until all have stepped, or the first
steps again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from evenkeel.chain.record.batch import examples_called
from evenkeel.chain.record.call import Arguments, Call, called, glimpsed
from evenkeel.observe.finite_check import FiniteCheck
from evenkeel.observe.look import Probe, sharded
from evenkeel.observe.look_queue import LookQueue
from evenkeel.observe.model_outputs import ModelOutputs
from evenkeel.observe.overhead import Overhead
from evenkeel.observe.recorder import Recorder
from evenkeel.observe.reuse import Reuse
from evenkeel.observe.schedule import Schedule
from evenkeel.observe.stride import Stride
from evenkeel.observe.subject import Subject

OUT_OF_SIGHT, COUNTED = 30e-6, 17e-6
"""Seconds that a step costs beyond what our clock sees, followed closely, and in all where it is only counted."""
SHARDED = "the model is split over processes: its weights are looked at, its chain is not"
UNCALLED = "the model itself was not called: its weights were looked at, its chain was not"


class StepWatch:
    """The state of the step in progress; `urgent` asks for a judgement at once."""

    def __init__(
        self,
        subject: Subject,
        budget: Schedule,
        record: Recorder,
        note: Callable[[str], None],
    ) -> None:
        self._subject, self._budget, self._record, self._note = subject, budget, record, note
        self.overhead = Overhead(budget, self._failed)
        self.urgent = False
        self._finite_check, self._outputs = FiniteCheck(subject), ModelOutputs()
        self._probe: Probe | None = None
        self._looking = self._passed = self._brief = False
        self._call: Call | None = None
        self._loss: Tensor | None = None
        self._loss_reported = self._scaled = self._differentiating = self._left_out = False
        self._stride = Stride(budget)
        self._seen: Arguments | None = None
        self._reuse = Reuse(subject)
        self._inside = 0
        self._stepped: set[int] = set()
        self._queue = LookQueue(record)
        self._noted: set[str] = set()

    @property
    def counting(self) -> bool:
        """Whether the step in progress is only counted."""
        return self._stride.counting

    def report_loss(self, value: Tensor) -> None:
        """The loss of this step, as the loop says."""
        self._loss_reported = True
        self._record.note_loss(self._record.step + 1, value)

    def forward_counted(self, model: nn.Module, positional: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """The model is called in a step that is only counted."""
        self._call, self._seen = None, (positional, named)

    def backward_counted(self, loss: Tensor) -> None:
        """A loss was differentiated in a step that is only counted."""
        self._stepped.clear()
        if not self._stride.expects() or self._loss_reported:
            return
        value = self._record.note_loss(self._record.step + 1, loss)
        if value is not None and not math.isfinite(value):
            with self.overhead:
                self._check_loss(loss)

    def forward_begins(self, model: nn.Module, positional: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """The model is called; not where a checkpoint or a replay runs it once more."""
        if self._differentiating or self.overhead.active:
            return
        with self.overhead:
            self._subject.learn_model(model)
            self._open()
            self._call = called((positional, named))
            if self._probe is not None:
                self._probe.enter((positional, named))

    def forward_ends(self, model: nn.Module, output: Any) -> None:
        """The model returned, or raised (then the output is None)."""
        if self._differentiating or self.overhead.active:
            return
        with self.overhead:
            if self._probe is not None:
                self._probe.leave(output)
            self._outputs.follow(output)

    def backward_begins(self, loss: Tensor, original: Tensor, unit: Tensor | None) -> None:
        """The loss of this step, or a part of it; one before any model is known is of no model that is followed."""
        if not self._subject.known:
            return
        with self.overhead:
            self._differentiating, self._scaled, self._loss = True, unit is not None, original
            self._stepped.clear()
            self._outputs.begin()
            self._open()
            if self._probe is not None:
                self._probe.attach(loss, unit)

    def backward_ends(self) -> None:
        """All gradients are there: now it is known whether the loss was about this model."""
        self._differentiating = False
        with self.overhead:
            loss, self._loss = self._loss, None
            if loss is None or not self._stride.saw(self._outputs.reached_model):
                return
            if not self._loss_reported and self._inside < 2:  # a closure may ask again and again: its first loss counts
                self._record.note_loss(self._record.step + 1, loss)
            self._inside += bool(self._inside)
            self._check_loss(loss)
            self._loss = loss
            if self._probe is not None:
                self._probe.measure()

    def backward_fails(self) -> None:
        """It raised: what was being measured is lost."""
        self._differentiating = False
        self._drop()

    def step_begins(self, optimizer: Optimizer) -> None:
        """Weights are about to change."""
        self._learn_optimizer(optimizer)
        first = optimizer is self._subject.first
        if first and self._looking and self._passed:
            self._finish()  # the others did not step
        with self.overhead:
            self._stepped.add(id(optimizer))
            self._inside = 1
            if first:
                self._open()
            careful = first and not self._scaled and self._record.non_finite is None
            if careful and self._loss is not None:
                self._check_gradient(self._loss)
            if self._probe is not None:
                self._probe.step_begins(optimizer)

    def step_ends(self, optimizer: Optimizer) -> bool:
        """Weights have changed. Returns whether a step is over."""
        if self.counting:
            return self._counted(optimizer)
        with self.overhead:
            if self._probe is not None:
                self._probe.step_ends(optimizer, closure=self._inside > 1)
            self._inside = 0
            self._note_overflow(optimizer)
        self._budget.charge(OUT_OF_SIGHT)
        return self._over(optimizer)

    def scaler_stepped(self, optimizer: Optimizer) -> bool:
        """A scaler stepped, or left the step out: then gradients overflowed, and nothing else tells."""
        self._learn_optimizer(optimizer)
        if id(optimizer) in self._stepped or optimizer is not self._subject.first:
            return False
        self._record.skipped += 1
        return self._over(optimizer)

    def passed(self, loss: Tensor) -> None:
        """Count a step that was made without hooks."""
        with self.overhead:
            self._record.note_loss(self._record.step + 1, loss)
        self._over(self._subject.optimizers[0])

    def look_back(self) -> None:
        """Where the fetched losses show what no step was stopped to see, ask now."""
        bad = [point.step for point in self._record.losses if not math.isfinite(point.loss)]
        if bad and self._record.non_finite is None:
            self._record.non_finite = self._finite_check.locate(None, self._last_call, bad[0])

    def close(self) -> None:
        """The loop is over: let go of everything."""
        with self.overhead:
            self.collect(wait=True)
        self._drop()
        self._outputs.clear()
        self._call = self._loss = self._seen = None
        self._reuse.forget()
        self._looking = self._differentiating = False

    def _learn_optimizer(self, optimizer: Optimizer) -> None:
        if self._subject.learn_optimizer(optimizer):
            self._record.describe(self._subject)

    def _open(self) -> None:
        """Begin a look if one is due."""
        step = self._record.step + 1
        full = not self._looking and self._budget.due(step)
        if self._looking or not (full or self._budget.brief(step)):
            return
        self.collect(wait=True)
        self._looking, self._passed = True, False
        if sharded(self._subject.model):
            self._note_once(SHARDED)
        if DistributedDataParallel._active_ddp_module is not None:
            self._budget.agree()
        self._budget.opened()
        self._brief, self.overhead.pausing = not full, True
        self._probe = self._reuse.probe(step, "full" if full else "brief", whole=self._budget.pays_whole())

    def _counted(self, optimizer: Optimizer) -> bool:
        """The end of a step that is only counted: as little as can be."""
        self._stepped.add(id(optimizer))
        self._note_overflow(optimizer)
        if optimizer is not self._subject.first:
            return False
        self._budget.charge(COUNTED)
        self._record.step += 1
        self._loss_reported = False
        self._stride.counted(self._record.step)
        return True

    def _check_loss(self, loss: Tensor) -> None:
        if self._record.non_finite is None:
            self._record.non_finite = self._finite_check.check_loss(loss, self._last_call, self._record.step + 1)
            self.urgent |= self._record.non_finite is not None

    @property
    def _last_call(self) -> Call | None:
        return glimpsed(self._seen) if self._call is None and self._seen is not None else self._call

    def _note_overflow(self, optimizer: Optimizer) -> None:
        overflow = getattr(optimizer, "found_inf", None)
        if isinstance(overflow, Tensor) and optimizer is self._subject.first:
            self._record.note_overflow(overflow)

    def _check_gradient(self, loss: Tensor) -> None:
        step = self._record.step + 1
        self._record.non_finite = self._finite_check.check_gradient(loss, self._call, self._outputs.gradients, step)
        self.urgent |= self._record.non_finite is not None

    def _over(self, optimizer: Optimizer) -> bool:
        """The first optimizer's step is one step; a look ends when all have stepped."""
        first = optimizer is self._subject.first
        skipped = id(optimizer) not in self._stepped
        looked = self._looking
        if first:
            self._record.step += 1
            self._left_out = skipped
            self._passed = True
            length = None if self._call is None else examples_called(self._call.arguments, self._subject.model)
            self._record.sizes.extend([] if length is None else [length])
            self._outputs.clear()
            self._loss_reported, self._loss = False, None
        if self._looking and self._passed and (skipped or self._complete()):
            self._finish()
        if first:
            self._stride.followed(self._record.step, looked=looked, looking=self._looking)
        return first

    def _complete(self) -> bool:
        return self._probe is None or all(map(self._probe.stepped, self._subject.optimizers))

    def _finish(self) -> None:
        """Keep the look; the next is planned also where this one failed, as other processes may wait for that."""
        with self.overhead:
            probe, self._probe = self._probe, None
            if probe is not None:
                self._reuse.learn(probe, self._record.step)
                if probe.depth == "full" and not (probe.repeated or probe.measured or sharded(self._subject.model)):
                    self._note_once(UNCALLED)
                self._queue.add(probe, self._record.step, left_out=self._left_out)
                self.collect()
        brief, self._looking = self._brief, False
        self._budget.glanced() if brief else self._budget.looked(self._record.step, self._reuse.cost)
        self._drop()

    def collect(self, *, wait: bool = False) -> None:
        """Keep the looks whose numbers have come from the device."""
        try:
            self._queue.collect(wait=wait)
        except Exception:
            self._reuse.forget()  # what could not be written down may not be repeated either
            raise

    def _note_once(self, text: str) -> None:
        """A note, once."""
        if text not in self._noted:
            self._noted.add(text)
            self._note(text)

    def _failed(self, problem: Exception) -> None:
        """A look that fails is left out and noted: the loop itself must go on."""
        reason = next(iter(str(problem).splitlines()), "")
        self._note(f"step {self._record.step + 1}: could not look: {type(problem).__name__}: {reason}")
        self._drop()

    def _drop(self) -> None:
        probe, self._probe, self.overhead.pausing = self._probe, None, False
        if probe is not None:
            probe.drop()
