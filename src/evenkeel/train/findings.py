"""Findings from the looks of a run alone: steps that were not finite, nothing learned, overfitting."""

from __future__ import annotations

from collections.abc import Sequence

from evenkeel.finding import Finding
from evenkeel.symptoms.history import LossPoint
from evenkeel.symptoms.no_learning import never_below_start
from evenkeel.symptoms.non_finite import steps_left_out
from evenkeel.symptoms.overfitting import rise_after_best
from evenkeel.symptoms.validation import ValidationCurve
from evenkeel.train.loop import Look


def findings_of(looks: Sequence[Look], start_loss: float | None) -> tuple[Finding, ...]:
    """Findings from the looks of a run; `start_loss` is the validation loss before the first update."""
    findings: list[Finding | None] = []
    if looks and looks[-1].skipped:
        first = next(look.update for look in looks if look.skipped)
        findings.append(steps_left_out(looks[-1].skipped, looks[-1].update, first))
    curve = _validation_curve(looks, start_loss)
    if curve is not None:
        findings.append(never_below_start(curve) or rise_after_best(curve))
    return tuple(finding for finding in findings if finding is not None)


def _validation_curve(looks: Sequence[Look], start_loss: float | None) -> ValidationCurve | None:
    """None where nothing is held out."""
    points = [
        LossPoint(step=look.update, loss=look.validation_loss) for look in looks if look.validation_loss is not None
    ]
    if start_loss is None or not points:
        return None
    return ValidationCurve(first=start_loss, best=min(points, key=lambda point: point.loss), last=points[-1].loss)
