"""A clock that moves by a millisecond each time it is read: how often a watch looks depends on the time it took."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

TICK = 1e-3  # seconds


@contextmanager
def ticking() -> Iterator[None]:
    """Put that clock in the place of both of the standard library's."""
    count = itertools.count()

    def read() -> float:
        return TICK * next(count)

    with mock.patch.object(time, "perf_counter", read), mock.patch.object(time, "monotonic", read):
        yield
