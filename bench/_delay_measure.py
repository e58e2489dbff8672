"""Run a training under the watch, spoil it in mid-run, and write down what was told when."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean

import torch

from bench._delay_clock import installed
from bench._delay_onsets import Onset
from bench._delay_setups import SETUPS
from evenkeel.finding import Severity
from evenkeel.observe import watch
from evenkeel.symptoms.history import LossPoint

ONSET, STEPS = 200, 1000
SECONDS = 5e-3
"""Of a step, its data included: what is computed is faster, and waits for that by the clock."""
VALIDATE = 20
"""Steps between two looks at the validation part, where there is one."""
LEVEL, AFTER = 10, 50
"""Losses that are averaged, and steps after the onset that are given it to show."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A finding that the watch came back with: when, and how grave."""

    step: int
    symptom: str
    severity: Severity


@dataclass(kw_only=True)
class Course:
    """What was told in one run: while it ran, and only when it was over; and its losses."""

    live: list[Told] = field(default_factory=list)
    ended: list[Told] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def first(self, wanted: set[str]) -> Told | None:
        """The first of some symptoms that was told after the onset while the run went on."""
        return next((told for told in self.live if told.step >= ONSET and told.symptom in wanted), None)

    def at_end(self, wanted: set[str]) -> bool:
        """Whether one was told only when all was over."""
        return self.first(wanted) is None and any(told.symptom in wanted for told in self.ended)

    def told(self, since: int = 0) -> set[str]:
        """All symptoms that were told from a step on."""
        return {told.symptom for told in (*self.live, *self.ended) if told.step >= since}

    def level(self, step: int) -> float:
        """The mean of the losses up to a step."""
        return fmean(self.losses[max(0, step - LEVEL) : step])


def course(
    setup: str,
    begin: Onset | None,
    seed: int,
    *,
    every: int | None = None,
    steps: int = STEPS,
    seconds: float = SECONDS,
) -> Course:
    """Train for so many steps, with the onset of a fault among them, or none."""
    torch.manual_seed(seed)
    training, found = SETUPS[setup](), Course()
    into = found.live
    with installed() as clock, watch(training.model, training.optimizer, every=every) as live:
        live.on_finding(lambda one: into.append(Told(step=step, symptom=one.symptom, severity=one.severity)))
        for step in range(1, steps + 1):
            started = clock.perf_counter()
            if step == ONSET and begin is not None:
                begin(training)
            found.losses.append(training.step())
            if training.validate is not None and step % VALIDATE == 0:
                live.record.validation.append(LossPoint(step=step, loss=training.validate()))
            clock.wait_until(started + seconds)
        into = found.ended
    return found
