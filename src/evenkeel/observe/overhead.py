"""Charge the watch's own time to its schedule, and keep its errors from the loop."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from evenkeel.observe.schedule import Schedule


class Overhead:
    """`with overhead:` accounts for the time, and hands what goes wrong to a callback: no reason to stop a training.

    While `pausing`, the garbage collector rests: a look makes many objects that are gone by themselves soon after.
    """

    def __init__(self, budget: Schedule, failed: Callable[[Exception], None]) -> None:
        self._budget, self._failed = budget, failed
        self.active = self.pausing = False
        self._started, self._collecting = 0.0, False

    def __enter__(self) -> None:
        """Start the clock; pause the garbage collector where asked to."""
        self.active = True
        self._started = time.perf_counter()
        if self.pausing and gc.isenabled():
            self._collecting = True
            gc.disable()

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> bool:
        """Charge the time; hand an error to the callback and suppress it."""
        if isinstance(problem, Exception):
            self._failed(problem)
        if self._collecting:
            self._collecting = False
            gc.enable()
        self._budget.charge(time.perf_counter() - self._started)
        self.active = False
        return isinstance(problem, Exception)
