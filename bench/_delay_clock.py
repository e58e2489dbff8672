"""A clock for the watch that stands while other programs compute: this process's own time, and what a step waits.

On a quiet machine it goes like that on the wall, and a step of 5 ms that computes for one need not wait for four.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

READERS = [import_module(f"evenkeel.observe.{name}") for name in ("overhead", "schedule", "watch")]
"""The modules that read the time."""


class Clock:
    """Takes the place of the module `time` where the watch reads it."""

    def __init__(self) -> None:
        self._waited = 0.0

    def perf_counter(self) -> float:
        """Seconds computed and waited."""
        return time.process_time() + self._waited

    def wait_until(self, moment: float) -> None:
        """Nothing is computed until then."""
        self._waited += max(0.0, moment - self.perf_counter())


@contextmanager
def installed() -> Iterator[Clock]:
    """The watch's budget and its accounts go by a new clock."""
    clock, kept = Clock(), [vars(module)["time"] for module in READERS]
    for module in READERS:
        vars(module)["time"] = clock
    try:
        yield clock
    finally:
        for module, before in zip(READERS, kept, strict=True):
            vars(module)["time"] = before
