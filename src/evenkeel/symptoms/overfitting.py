"""Overfitting: the training loss falls, the validation loss does not, or no longer.

    given back = (validation now - best) / (validation at first - best)

Rising again: the network learns its examples by heart, which less capacity or more regularisation would hold back.
Hardly below a constant guess while training falls: what is learned does not carry over at all, as with shuffled labels.
"""

from __future__ import annotations

import math

from evenkeel.finding import Finding
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.harm import FEWEST_STEPS, HARMED, level
from evenkeel.symptoms.history import History, LossPoint
from evenkeel.symptoms.validation import ValidationCurve

SOME, MUCH = 0.1, HARMED
"""Shares of the gain given back from which it is a note, and a warning."""
LEARNED = 1 / 3
"""Share of its constant loss that training must have gained before validation must have gained something too."""
CARRIED = 0.1
"""Share of what training gained below which validation, at its best, gained nothing but by chance."""
LEAST_LOOKS = 3
LOST_TIME = 0.5
"""Share of the gain given back from which a run that keeps its best weights has trained in vain since."""


def overfitting(history: History) -> tuple[Finding, ...]:
    """What validation gave back while training went on, or that it never gained anything."""
    points = [point for point in history.validation if math.isfinite(point.loss)]
    losses = [point.loss for point in history.losses if math.isfinite(point.loss)]
    if len(points) < 2 or len(losses) < FEWEST_STEPS:
        return ()
    return _by_heart(history, points, losses) or _given_back(history, points)


def rise_after_best(curve: ValidationCurve) -> Finding | None:
    """A rise after the best look of a run that keeps the weights of that look: it costs time, not quality."""
    if not curve.given_back > LOST_TIME * curve.learned:
        return None
    start, best, last = curve.first, curve.best.loss, curve.last
    return Finding(
        symptom="overfitting",
        where="validation",
        severity="note",
        sentence=(
            f"After update {curve.best.step} the validation loss rose from {best:.4g} to {last:.4g} while training "
            "went on: overfitting. The weights of the best look were kept."
        ),
        evidence={"start_loss": start, "best_loss": best, "last_loss": last},
    )


def _known(history: History) -> float | None:
    """The loss of the best constant guess, of the training batches."""
    start = history.start
    known = None if start is None else start.constant_loss
    return known if known is not None and math.isfinite(known) else None


def _by_heart(history: History, points: list[LossPoint], losses: list[float]) -> tuple[Finding, ...]:
    """Training far below a constant guess, validation hardly at any time."""
    known = _known(history)
    best, now = min(point.loss for point in points), level(losses)
    if known is None or known <= 0 or known - now < LEARNED * known or known - best > CARRIED * (known - now):
        return ()
    finding = Finding(
        symptom="overfitting",
        where="validation",
        severity="warning",
        sentence=(
            f"The training loss fell to {now:.3g}, yet the validation loss was at best {best:.3g}, where a "
            f"constant guess has {known:.3g}: what is learned does not carry over."
        ),
        evidence={"training_loss": now, "best_validation": best, "constant_loss": known},
        cause="training-loop",
    )
    return (finding,)


def _given_back(history: History, points: list[LossPoint]) -> tuple[Finding, ...]:
    """Validation that rose again while training went on falling."""
    if len(points) < LEAST_LOOKS:
        return ()
    best = min(points, key=lambda point: point.loss)
    known = _known(history)
    # A wild first loss is soon made good, and a first look may come late: what counts was gained on a constant guess.
    first = points[0].loss if known is None else known
    now = min(point.loss for point in points[-2:]) if len(points) > LEAST_LOOKS else points[-1].loss
    curve = ValidationCurve(first=first, best=best, last=now)
    if curve.learned <= 0 or curve.given_back < SOME * curve.learned or not _falls_after(history, best.step):
        return ()
    share = curve.given_back / curve.learned
    finding = Finding(
        symptom="overfitting",
        where="validation",
        severity="warning" if share > MUCH else "note",
        sentence=(
            f"After step {best.step} the validation loss rose from {best.loss:.3g} to {now:.3g} while the training "
            f"loss fell: {share:.0%} of what was gained is given back."
        ),
        evidence={"best_validation": best.loss, "last_validation": now, "given_back": share},
        cause="regularisation",
    )
    return (finding,)


def _falls_after(history: History, step: int) -> bool:
    """Whether the training loss fell after a step: else both rise, and it is not overfitting."""
    before = [point.loss for point in history.losses if point.step <= step and math.isfinite(point.loss)]
    after = [point.loss for point in history.losses if point.step > step and math.isfinite(point.loss)]
    return len(before) >= 1 and len(after) >= 3 and level(after) < level(before)


OVERFITTING = SymptomPart(
    name="overfitting",
    summary="a training loss that falls while the validation loss does not",
    source="the share of the validation gain that is given back",
    symptom="overfitting",
    reads="course",
    call=overfitting,
    causes=("regularisation", "training-loop"),
)
