"""Progress of a training on the terminal: a bar, or a plain line now and then where the output is no terminal."""

from __future__ import annotations

import sys
import time
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from evenkeel.train.loop import Look, LoopState, Watchers

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_DRAWS = 0.1
Style = Literal["auto", "bar", "lines", "silent"]


class TrainingProgress:
    """A bar (`bar`), lines (`lines`), nothing (`silent`), or what suits the terminal (`auto`), on standard error."""

    def __init__(self, total: int, style: Style = "auto") -> None:
        self.console = Console(file=sys.stderr)
        if style == "auto":
            style = "bar" if self.console.is_terminal else "lines"
        self.style, self.total = style, total
        self._words, self._drawn, self._started = "", 0.0, time.monotonic()
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed}/{task.total}"),
            TextColumn("{task.fields[words]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            auto_refresh=False,
        )
        self._task = self._bar.add_task("training", total=total, words="")

    def __enter__(self) -> TrainingProgress:
        if self.style == "bar":
            self._bar.start()
        return self

    def __exit__(self, *problem: object) -> None:
        if self.style == "bar":
            self._bar.stop()

    def watchers(self, stop) -> Watchers:
        """The callbacks that show the training."""
        return Watchers(step=self._step, look=self._look, stop=stop)

    def _step(self, state: LoopState) -> None:
        now = time.monotonic()
        if self.style != "bar" or now - self._drawn < SECONDS_BETWEEN_DRAWS:
            return
        self._drawn = now
        speed = state.update / max(state.seconds, 1e-9)
        self._bar.update(self._task, completed=state.update, words=f"{self._words} · {speed:.0f} updates/s")
        self._bar.refresh()

    def _look(self, look: Look) -> None:
        self._words = describe_look(look)
        now = time.monotonic()
        if self.style == "lines" and (now - self._drawn > SECONDS_BETWEEN_LINES or look.update >= self.total):
            self._drawn = now
            speed = look.update / max(look.seconds, 1e-9)
            remaining = (self.total - look.update) / max(speed, 1e-9)
            print(
                f"update {look.update}/{self.total} · {self._words} · {speed:.0f} updates/s · "
                f"at most {remaining:.0f} s left",
                file=sys.stderr,
                flush=True,
            )


def describe_look(look: Look) -> str:
    """Losses of a look in a few words."""
    words = [] if look.train_loss is None else [f"loss {look.train_loss:.4g}"]
    if look.validation_loss is not None:
        words.append(f"validation {look.validation_loss:.4g}")
    if look.skipped:
        words.append(f"{look.skipped} non-finite steps skipped")
    return " · ".join(words)
