"""Is learning harmed? How much of what the inputs could teach has not been learned, and will not soon be.

    gap(t) = loss(t) - reachable,   possible = best constant output's loss - reachable
    harm   = gap(now)/possible · (gap(now)/gap(at half the steps))^16     as it goes on for ten times as long

With nothing reachable to compare with, a loss that does not fall in the scatter of its steps is harm 1, one that falls
is harm 0: a departure from theory in a network that learns well is a note at most.
"""

from __future__ import annotations

import math
from statistics import fmean, pstdev

from evenkeel.finding import Severity
from evenkeel.symptoms._history import History

HARMED, DEVASTATED = 1 / 3, 2 / 3
"""Shares of the possible gain from which a loss is called a warning, and critical."""
FEWEST_STEPS = 12
"""Below this nobody can say whether a loss falls."""
HALVES_AHEAD = 16
"""A look at the first steps of a training that is usually ten times as long: a loss that falls steadily is no fault."""


def harm(history: History) -> float | None:
    """How much of what could be learned is not, in [0, 1]; None while too little has been seen, or is to be learned.

    Example:
        >>> from evenkeel.symptoms._history import History, LossPoint
        >>> flat = tuple(LossPoint(step=step, loss=0.7) for step in range(1, 41))
        >>> harm(History(optimizer="adaptive", steps=40, losses=flat))
        1.0
    """
    losses = [point.loss for point in history.losses]
    if history.non_finite_steps and not all(map(math.isfinite, losses[-3:])):
        return 1.0
    losses = [loss for loss in losses if math.isfinite(loss)]
    if len(losses) < FEWEST_STEPS:
        return None
    start = history.start
    if start is None or start.constant_loss is None or start.reachable_loss is None:
        return _by_itself(losses)
    possible = start.constant_loss - start.reachable_loss
    if possible <= 0.02 * max(abs(start.constant_loss), 1e-12):
        return None
    middle, now = level(losses[: (len(losses) + 1) // 2]), level(losses)
    gap, before = now - start.reachable_loss, middle - start.reachable_loss
    if gap <= 0:
        return 0.0
    pace = min(gap / before, 1.0) if before > 0 else 1.0
    return min(1.0, gap / possible) * pace**HALVES_AHEAD


def _by_itself(losses: list[float]) -> float:
    """1 where the loss of the last quarter is not below that of the first by more than scatter."""
    quarter = max(3, len(losses) // 4)
    first, last = losses[:quarter], losses[-quarter:]
    scatter = math.hypot(pstdev(first), pstdev(last)) / math.sqrt(quarter)
    fallen = fmean(first) - fmean(last)
    return 0.0 if fallen > max(2 * scatter, 0.005 * abs(fmean(first))) else 1.0


def level(losses: list[float]) -> float:
    """Where the loss stands: the mean of the last fifth, at least three steps."""
    return fmean(losses[-max(3, len(losses) // 5) :])


def severity(history: History) -> Severity:
    """What a fault in the chain amounts to, by the harm done; a note while harm is not known."""
    found = harm(history)
    if found is None or found < HARMED:
        return "note"
    return "critical" if found >= DEVASTATED else "warning"


def harmed(history: History) -> bool:
    """Whether learning is known to be harmed."""
    return severity(history) != "note"
