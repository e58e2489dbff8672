"""What the looks of a run alone tell: steps that were not finite, nothing learned, overfitting.

Judged by harm: the kept weights are those of the best look, so that overfitting after it costs time, not quality.
"""

from __future__ import annotations

from collections.abc import Sequence

from evenkeel.finding import Finding
from evenkeel.train.loop import Look

# A best validation loss closer to the first look's than this share of its size is no learning.
LEAST_LEARNED = 1e-3
# A last validation loss above the best by more than this share of what was learned is overfitting.
GIVEN_BACK = 0.5


def findings_of(looks: Sequence[Look], start_loss: float | None) -> tuple[Finding, ...]:
    """Findings from the looks of a run; `start_loss` is the validation loss before the first update."""
    found = [_non_finite(looks), _learning(looks, start_loss)]
    return tuple(finding for finding in found if finding is not None)


def _non_finite(looks: Sequence[Look]) -> Finding | None:
    """Steps whose gradient was not finite; they never reached the weights."""
    if not looks or not looks[-1].skipped:
        return None
    skipped, update = looks[-1].skipped, looks[-1].update
    first = next(look.update for look in looks if look.skipped)
    return Finding(
        symptom="non-finite",
        where=f"up to update {first}",
        severity="warning" if 2 * skipped < update else "critical",
        sentence=f"{skipped} of {update} steps had a gradient that was not finite; they were left out.",
        evidence={"skipped": float(skipped), "updates": float(update), "first_seen": float(first)},
    )


def _learning(looks: Sequence[Look], start_loss: float | None) -> Finding | None:
    """No learning on the validation rows, or overfitting."""
    losses = [look.validation_loss for look in looks if look.validation_loss is not None]
    if start_loss is None or not losses:
        return None
    best, last = min(losses), losses[-1]
    learned = start_loss - best
    evidence = {"start_loss": start_loss, "best_loss": best, "last_loss": last}
    if learned <= LEAST_LEARNED * max(abs(start_loss), 1e-12):
        sentence = f"The validation loss never fell below its start: {start_loss:.4g} at first, {best:.4g} at best."
        return Finding(
            symptom="no-learning", where="validation", severity="warning", sentence=sentence, evidence=evidence
        )
    if last - best > GIVEN_BACK * learned:
        update = looks[[look.validation_loss for look in looks].index(best)].update
        sentence = (
            f"After update {update} the validation loss rose from {best:.4g} to {last:.4g} while training went on: "
            "overfitting. The weights of the best look were kept."
        )
        return Finding(symptom="overfitting", where="validation", severity="note", sentence=sentence, evidence=evidence)
    return None
