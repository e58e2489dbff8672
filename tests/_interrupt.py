"""Ctrl-C in the middle of a training."""

import os
import signal

from evenkeel.train.step import TrainingStep


def interrupt_at(monkeypatch, update):
    """Send this process Ctrl-C in the middle of that update."""
    plain, count = TrainingStep.__call__, []

    def call(self, *batch, **named):
        count.append(1)
        if len(count) == update:
            os.kill(os.getpid(), signal.SIGINT)
        return plain(self, *batch, **named)

    monkeypatch.setattr(TrainingStep, "__call__", call)
