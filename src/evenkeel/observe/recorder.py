"""What a watch has written down so far, bounded however long the run, and the history that it amounts to."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from torch import Tensor

from evenkeel.chain.record.fetch import Fetch
from evenkeel.observe.subject import Subject
from evenkeel.observe.weights import optimizer_kind, outside
from evenkeel.symptoms.history import History, LossPoint, NonFinite, Observation, Optimizer, Start

MOST_LOSSES = 4096  # beyond this evenly spaced ones are kept, at most half as many, and
RECENT = 1024  # the latest
MOST_LOOKS, FIRST_LOOKS = 64, 8  # the first ones tell how it began and are kept
BATCHES = 32  # sizes of the last batches


class _Requested(NamedTuple):
    """Losses by step, and what the device was asked for: those of them that lie there, and what a scaler found."""

    ready: list[tuple[int, Tensor | float]]
    losses: Fetch
    overflows: Fetch


class Recorder:
    """Losses, looks and counts; `history` is the value that symptoms judge."""

    def __init__(self, optimizer: Optimizer = "descent", outside: tuple[str, ...] = ()) -> None:
        self.optimizer: Optimizer = optimizer
        self.outside = outside
        self.step = 0
        self.losses: list[LossPoint] = []
        self.looks: list[Observation] = []
        self.validation: list[LossPoint] = []
        self.sizes: deque[int] = deque(maxlen=BATCHES)
        self.start: Start | None = None
        self.non_finite: NonFinite | None = None
        self.non_finite_steps = 0
        self.skipped = 0
        self.zeroed_loss: float | None = None
        self.seen_loss: float | None = None
        self._pending: list[tuple[int, Tensor | float]] = []
        self._overflows: list[Tensor] = []
        self._requested: _Requested | None = None

    def describe(self, subject: Subject) -> None:
        """Keep how the optimizers step, and which trainable parameters none of them holds."""
        self.optimizer = optimizer_kind(subject.optimizers)
        self.outside = tuple(name for name, _ in outside(subject.model.named_parameters(), subject.optimizers))

    @property
    def pending(self) -> int:
        """Losses that are still on the device."""
        return len(self._pending)

    def note_loss(self, step: int, loss: Tensor) -> float | None:
        """Keep a copy on the device; only from the CPU is it fetched and given back: there is nothing to wait for."""
        copy = loss.item() if loss.device.type == "cpu" else None
        self._pending.append((step, loss.detach().clone() if copy is None else copy))
        return copy

    def note_overflow(self, overflow: Tensor) -> None:
        """Keep the overflow flag that a scaler gives a fused step: above 0, the step left the weights alone."""
        self._overflows.append(overflow.detach().clone())

    def fetch(self, *, ended: bool = False, wait: bool = False) -> None:
        """Take the losses of all whole steps from the device; several of one step are averaged.

        What is not there yet is asked for and taken the next time, unless `wait` is set, or at the end.
        """
        self._take(wait=ended or wait)
        if self._requested is None:
            self._ask(ended=ended)
            self._take(wait=ended or wait)

    def _ask(self, *, ended: bool) -> None:
        ready = [(step, loss) for step, loss in self._pending if ended or step <= self.step]
        self._pending = self._pending[len(ready) :]
        waiting = [loss.reshape(()).float() for _, loss in ready if isinstance(loss, Tensor)]
        overflows, self._overflows = [overflow.reshape(()) for overflow in self._overflows], []
        if ready or overflows:
            self._requested = _Requested(ready, Fetch(waiting), Fetch(overflows))

    def _take(self, *, wait: bool) -> None:
        requested = self._requested
        if requested is None or not (wait or (requested.losses.ready and requested.overflows.ready)):
            return
        self._requested = None
        self.skipped += sum(value > 0 for value in requested.overflows.numbers())
        fetched = iter(requested.losses.numbers())
        self._add([(step, next(fetched) if isinstance(loss, Tensor) else loss) for step, loss in requested.ready])

    def _add(self, losses: list[tuple[int, float]]) -> None:
        if not losses:
            return
        by_step: dict[int, list[float]] = {}
        for step, value in losses:
            by_step.setdefault(step, []).append(value)
        points = [LossPoint(step=step, loss=sum(each) / len(each)) for step, each in by_step.items()]
        self.non_finite_steps += sum(not math.isfinite(point.loss) for point in points)
        self.losses += points
        if len(self.losses) > MOST_LOSSES:
            stride = 2 ** math.ceil(math.log2(2 * points[-1].step / MOST_LOSSES))
            older = [point for point in self.losses[1:-RECENT] if point.step % stride == 0]
            self.losses = [self.losses[0], *older[-MOST_LOSSES // 2 :], *self.losses[-RECENT:]]

    def loss_at(self, step: int) -> float | None:
        """The loss of one of the last steps, where it has been fetched."""
        return next((point.loss for point in reversed(self.losses[-RECENT:]) if point.step == step), None)

    def look(self, look: Observation, *, left_out: bool = False) -> None:
        """Keep a look; one of a step that a scaler left out only where it tells something else than of overflows."""
        links = () if look.chain is None else look.chain.links
        if left_out and not (links and all(math.isfinite(link.backward_rms or 0.0) for link in links)):
            return
        self.looks.append(look)
        if len(self.looks) > MOST_LOOKS:
            del self.looks[FIRST_LOOKS]

    def history(self, *, ended: bool = False) -> History:
        """Everything so far as one value."""
        return History(
            optimizer=self.optimizer,
            steps=self.step,
            losses=tuple(self.losses),
            looks=tuple(self.looks),
            validation=tuple(self.validation),
            start=self.start,
            non_finite=self.non_finite,
            non_finite_steps=self.non_finite_steps,
            skipped=self.skipped,
            outside=self.outside,
            sizes=tuple(self.sizes),
            zeroed_loss=self.zeroed_loss,
            seen_loss=self.seen_loss,
            ended=ended,
        )
