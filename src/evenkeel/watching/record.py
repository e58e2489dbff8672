"""What a watch has written down so far, bounded however long the run, and the history that it amounts to."""

from __future__ import annotations

import math
from collections import deque

import torch
from torch import Tensor

from evenkeel.symptoms._history import History, Look, LossPoint, NonFinite, Optimizer, Start

MOST_LOSSES = 4096  # beyond this every second of the older half is let go
MOST_LOOKS, FIRST_LOOKS = 64, 8  # the first ones tell how it began and are kept
BATCHES = 32  # sizes of the last batches


class Record:
    """Losses, looks and counts; `history` is the value that symptoms judge."""

    def __init__(self, optimizer: Optimizer, outside: tuple[str, ...]) -> None:
        self.optimizer: Optimizer = optimizer
        self.outside = outside
        self.step = 0
        self.losses: list[LossPoint] = []
        self.looks: list[Look] = []
        self.validation: list[LossPoint] = []
        self.sizes: deque[int] = deque(maxlen=BATCHES)
        self.start: Start | None = None
        self.non_finite: NonFinite | None = None
        self.non_finite_steps = 0
        self.skipped = 0
        self.zeroed_loss: float | None = None
        self.seen_loss: float | None = None
        self._pending: list[tuple[int, Tensor]] = []

    @property
    def pending(self) -> int:
        """Losses that are still on the device."""
        return len(self._pending)

    def note_loss(self, step: int, loss: Tensor) -> None:
        """Keep a reference; nothing is fetched."""
        self._pending.append((step, loss.detach()))

    def fetch(self) -> None:
        """Take the losses from the device, all at once; several of one step (accumulation) are averaged."""
        if not self._pending:
            return
        values = torch.stack([loss.reshape(()).float() for _, loss in self._pending]).tolist()
        by_step: dict[int, list[float]] = {}
        for (step, _), value in zip(self._pending, values, strict=True):
            by_step.setdefault(step, []).append(value)
        self._pending = []
        points = [LossPoint(step=step, loss=sum(found) / len(found)) for step, found in by_step.items()]
        self.non_finite_steps += sum(not math.isfinite(point.loss) for point in points)
        self.losses += points
        if len(self.losses) > MOST_LOSSES:
            half = len(self.losses) // 2
            self.losses = [self.losses[0], *self.losses[1:half:2], *self.losses[half:]]

    def look(self, look: Look) -> None:
        """Keep a look."""
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
