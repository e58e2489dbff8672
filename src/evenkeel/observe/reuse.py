"""Which looks repeat an earlier one: most of them, so that a look costs little, and now and then one does not."""

from __future__ import annotations

from typing import Literal

from evenkeel.chain.look.echo import Echo
from evenkeel.observe.look import Probe
from evenkeel.observe.schedule import Cost
from evenkeel.observe.subject import Subject

REFRESH = 2  # times the step of the last look that repeated nothing: then another such look
WEIGHTS = 4  # where steps are looked at one after another, what they change is looked at so often


class Reuse:
    """Makes the probe of each look; `cost` is of what kind the last one was."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._echo: Echo | None = None
        self._whole_at = self._weights_at = 0
        self.cost: Cost = "whole"

    def probe(self, step: int, depth: Literal["full", "brief"], *, whole: bool) -> Probe:
        """For a look at a step; `whole`: whether one that repeats nothing can be paid for."""
        whole = depth == "brief" or (whole and step >= REFRESH * self._whole_at)
        echo = None if whole else self._echo
        weights = "changes" if echo is None or step >= self._weights_at + WEIGHTS else "gradients"
        self._weights_at = step if weights == "changes" else self._weights_at
        return Probe(self._subject.model, self._subject.optimizers, depth, echo, weights)

    def learn(self, probe: Probe, step: int) -> None:
        """What a look leaves for the next ones."""
        self.cost = "repeated" if probe.repeated else "whole" if probe.echo is None else "repeatable"
        if probe.guessed_wrong:
            self.forget()
        elif probe.depth == "full" and not probe.repeated:
            self._echo, self._whole_at = probe.echo, step

    def forget(self) -> None:
        """The next look repeats nothing."""
        self._echo = None
