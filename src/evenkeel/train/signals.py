"""Ctrl-C and SIGTERM end training between two updates, so that the best network so far is kept and saved whole.

with Interruption() as interruption:
    ... a loop that looks at interruption.reason ...      goes on until it looks
    with interruption.at_once():
        ...                                               is left where it stands
    ... saving ...                                        is never cut in two
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal

StopReason = Literal["", "SIGINT", "SIGTERM"]
EXIT_CODES: dict[str, int] = {"SIGINT": 130, "SIGTERM": 143}


class Interruption:
    """While the `with` block runs, the first signal is remembered in `reason`; a second Ctrl-C raises as usual.

    Outside the main thread signals cannot be caught, and the block changes nothing.
    """

    def __init__(self) -> None:
        self.reason: StopReason = ""
        self._at_once = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._remember)
        return self

    def __exit__(self, *problem: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Within this block a signal ends the block itself, at once and without an exception outside."""
        self._at_once = True
        try:
            yield
        except KeyboardInterrupt:
            if not self.reason:
                raise
        finally:
            self._at_once = False

    def _remember(self, number: int, frame: FrameType | None) -> None:
        second = bool(self.reason)
        self.reason = self.reason or ("SIGINT" if number == signal.SIGINT else "SIGTERM")
        if second or self._at_once:
            raise KeyboardInterrupt
