"""Is learning harmed? How much of what the inputs could teach has not been learned, and will not soon be.

    gap(t) = loss(t) - reachable,   possible = best constant output's loss - reachable
    harm   = gap(now)/possible · (gap(now)/gap(at half the steps))^32     as it goes on for many times as long

With nothing reachable to compare with, a loss that does not fall in the scatter of its steps is harm 1, one that falls
is harm 0: a departure from theory in a network that learns well is a note at most.
"""

from __future__ import annotations

import math
from statistics import fmean

from evenkeel.finding import Severity
from evenkeel.symptoms.history import History
from evenkeel.symptoms.scatter import scatter

HARMED, DEVASTATED = 1 / 3, 2 / 3
"""Shares of the possible gain from which a loss is called a warning, and critical."""
HALVES_TRUSTED = 12
"""The same where the chain itself speaks of a fault."""
FEWEST_STEPS = 12
"""Below this nobody can say whether a loss falls."""
FEWEST_ALONE = 40
"""The same where there is nothing to compare the loss with but its own beginning, and the rate may still be rising."""
LEAST_POSSIBLE = 0.02
"""Share of the constant guess's loss below which there is nothing to learn, or nothing that so few steps can teach."""
HALVES_AHEAD = 32
"""These are the first steps of a training that is many times as long: a loss that falls steadily is no fault."""


def harm(history: History, halves: int = HALVES_AHEAD) -> float | None:
    """How much of what could be learned is not, in [0, 1]; None while too little has been seen, or is to be learned.

    Example:
        >>> from evenkeel.symptoms.history import History, LossPoint
        >>> flat = tuple(LossPoint(step=step, loss=0.7) for step in range(1, 41))
        >>> harm(History(optimizer="adaptive", steps=40, losses=flat))
        1.0
    """
    missing = lag(history)
    if missing is None or not _known(history) or len(_finite(history)) < FEWEST_STEPS:
        return missing
    return missing * _pace(_finite(history), *_range(history)) ** halves


def lag(history: History) -> float | None:
    """The share of what could be learned that is missing now, however fast the loss falls; None as for `harm`."""
    values = [point.loss for point in history.losses]
    if history.non_finite_steps and not all(map(math.isfinite, values[-3:])):
        return 1.0
    losses = _finite(history)
    if len(losses) < FEWEST_STEPS:
        return None
    if not _known(history):
        return _by_itself(losses) if len(losses) >= FEWEST_ALONE else None
    reachable, possible = _range(history)
    if possible <= LEAST_POSSIBLE * max(abs(reachable + possible), 1e-12):
        return None
    return min(max((_standing(history, losses) - reachable) / possible, 0.0), 1.0)


def _standing(history: History, losses: list[float]) -> float:
    """The loss now: on validation where that is lower, as dropout and tiny batches make training look worse."""
    held = [point.loss for point in history.validation[-1:] if math.isfinite(point.loss)]
    return min(level(losses), *held) if held else level(losses)


def _finite(history: History) -> list[float]:
    return [point.loss for point in history.losses if math.isfinite(point.loss)]


def _known(history: History) -> bool:
    start = history.start
    return start is not None and start.constant_loss is not None and start.reachable_loss is not None


def _range(history: History) -> tuple[float, float]:
    """What is reachable, and how much that gains on the constant guess."""
    start = history.start
    assert start is not None and start.constant_loss is not None and start.reachable_loss is not None
    return start.reachable_loss, start.constant_loss - start.reachable_loss


def _pace(losses: list[float], reachable: float, possible: float) -> float:
    """What is left of the gap after half of the steps, in [0, 1]; a fall within the scatter of the steps is none.

    What lies above the constant guess does not count: to come down from there is no learning yet.
    """
    half = losses[: (len(losses) + 1) // 2]
    error = math.hypot(_error(half), _error(losses))
    gap, before = min(level(losses) + error - reachable, possible), min(level(half) - reachable, possible)
    return min(max(gap / before, 0.0), 1.0) if before > 0 else 1.0


def _error(losses: list[float]) -> float:
    """Standard error of `level`."""
    last = losses[-_count(losses) :]
    return scatter(last) / math.sqrt(len(last))


def _by_itself(losses: list[float]) -> float:
    """1 where the loss of the last quarter is not below that of the first by more than scatter."""
    quarter = max(3, len(losses) // 4)
    first, last = losses[:quarter], losses[-quarter:]
    error = math.hypot(scatter(first), scatter(last)) / math.sqrt(quarter)
    fallen = fmean(first) - fmean(last)
    return 0.0 if fallen > max(2 * error, 0.005 * abs(fmean(first))) else 1.0


def level(losses: list[float]) -> float:
    """Where the loss stands: the mean of the last fifth, at least three steps."""
    return fmean(losses[-_count(losses) :])


def _count(losses: list[float]) -> int:
    return max(3, len(losses) // 5)


def severity(history: History) -> Severity:
    """What a fault amounts to, by the harm done; a note while harm is not known."""
    return _graded(harm(history))


def shape_severity(history: History) -> Severity:
    """The same where theory itself calls the chain out of band: what it predicts is not trusted to pass so soon."""
    return _graded(harm(history, HALVES_TRUSTED))


def lag_severity(history: History) -> Severity:
    """The same where theory leaves no doubt: all that is missing counts, however fast the loss falls."""
    return _graded(lag(history))


def _graded(share: float | None) -> Severity:
    if share is None or share < HARMED:
        return "note"
    return "critical" if share >= DEVASTATED else "warning"


def harmed(history: History) -> bool:
    """Whether learning is known to be harmed."""
    return severity(history) != "note"
