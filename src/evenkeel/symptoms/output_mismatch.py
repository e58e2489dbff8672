"""Output mismatch: the output's last operation, the loss and the target do not fit together.

    share = (floor within the output's range - floor of any outputs) / (best constant guess - floor of any outputs)

Outputs of a softmax, taken for logits, differ by at most 1: cross-entropy stays above ln(1 + (C - 1)/e) whatever is
learned. A softmax over one unit is 1, and its gradient 0; a tanh never reaches a target of 50.
"""

from __future__ import annotations

import math

from evenkeel.finding import Cause, Finding, Severity
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.harm import harm, severity
from evenkeel.symptoms.history import History, Start

MUCH, MOST = 0.1, 2 / 3
"""Shares of the possible gain that are out of reach, from which it is a warning, and critical."""
MOSTLY_PADDED = 0.5


def output_mismatch(history: History) -> tuple[Finding, ...]:
    """What no training can reach, by the output's own range, and what is known not to fit."""
    start = history.start
    if start is None:
        return ()
    share = _share(start)
    if not start.complaint and (share is None or share <= MUCH):
        return ()
    numbers = {"first_loss": start.loss, "out_of_reach": share, "floor": start.output_floor, "free": start.free_floor}
    finding = Finding(
        symptom="output-mismatch",
        where="output",
        severity=_severity(history, share),
        sentence=_sentence(start, share),
        evidence={name: value for name, value in numbers.items() if value is not None and not math.isnan(value)},
        cause=_cause(start),
    )
    return (finding,)


def _share(start: Start) -> float | None:
    """How much of the gain on the best constant guess the output's range puts out of reach; None where not known."""
    floor, free = start.output_floor, start.free_floor
    constant = start.constant_loss if start.constant_loss is not None else start.known_loss
    if floor is None or free is None or constant is None:
        return None
    possible = constant - free
    share = (floor - free) / possible if possible > 0 else math.nan
    return None if math.isnan(share) else share


def _severity(history: History, share: float | None) -> Severity:
    """By what is out of reach; where that is not known, a warning unless the network learns well."""
    if share is not None:
        return "critical" if share > MOST else "warning" if share > MUCH else "note"
    return "warning" if harm(history) is None else severity(history)


def _sentence(start: Start, share: float | None) -> str:
    complaint = start.complaint.strip()
    complaint = complaint + ("" if not complaint or complaint.endswith(".") else ".") + (" " if complaint else "")
    if share is None or share <= MUCH:
        return f"{complaint}The first loss is {start.loss:.3g}."
    operation = f" of `{start.output_operation}`" if start.output_operation else ""
    return (
        f"{complaint}No outputs{operation} bring the loss below {start.output_floor:.3g}: "
        f"{min(share, 1.0):.0%} of what can be gained on a constant guess is out of reach."
    )


def _cause(start: Start) -> Cause:
    """The loss, where padding counts or the output is linear and so fits any; else the output's last operation."""
    padded = start.padded is not None and start.padded > MOSTLY_PADDED
    return "loss-choice" if padded or start.output_operation is None else "output-activation"


OUTPUT_MISMATCH = SymptomPart(
    name="output-mismatch",
    summary="an output activation, a loss and a target that do not fit together",
    source="the least loss within the range of the output's last operation",
    symptom="output-mismatch",
    reads="output",
    call=output_mismatch,
    causes=("output-activation", "loss-choice"),
)
