"""Looks that were taken and whose numbers are still on their way from the device."""

from __future__ import annotations

from collections import deque

from evenkeel.observe.look import Probe
from evenkeel.observe.recorder import Recorder


class LookQueue:
    """A queue in front of a record: a look is kept when it can be read without waiting."""

    def __init__(self, record: Recorder) -> None:
        self._record = record
        self._looks: deque[tuple[Probe, int, bool]] = deque()

    def add(self, probe: Probe, step: int, *, left_out: bool) -> None:
        """Ask for what a probe has measured at a step, which a scaler may have left out."""
        probe.ask()
        self._looks.append((probe, step, left_out))

    def collect(self, *, wait: bool = False) -> None:
        """Keep those that have come, in order; with `wait` all of them."""
        if self._looks:
            self._record.fetch(wait=wait)
        while self._looks and (wait or self._looks[0][0].ready):
            probe, step, left_out = self._looks.popleft()
            try:
                self._record.look(probe.look(step, self._record.loss_at(step)), left_out=left_out)
            finally:
                probe.drop()
