"""Wrong first loss: the first weights lose far more than a network that knows nothing has to.

    squares   loss/variance = 1 + mean²/variance    for outputs near 0: a raw target
    classes   ln C                                  for outputs near 0; twice that means logits that are far too large

A best constant guess far below the loss of zeros, with most of the target one repeated value, is padding that counts.
"""

from __future__ import annotations

import math

from evenkeel.finding import Cause, Finding
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.harm import severity
from evenkeel.symptoms.history import History, Start
from evenkeel.symptoms.scales import RAW, input_size

TOO_HIGH = 3.0
"""Times the loss of the best constant guess: the mean of the target is then sqrt(2) of its spread or more away."""
TOO_LARGE = 2.0
"""Times the loss of an output of zeros: outputs of order one add less than that."""
MOSTLY_PADDED, GUESSED = 0.5, 0.5
"""Share of padded positions, and share of the loss of zeros that the best constant guess has, that make it padding."""


def wrong_first_loss(history: History) -> tuple[Finding, ...]:
    """The first loss beside that of the best constant guess and of an output of zeros."""
    start = history.start or _seen(history)
    if start is None or not math.isfinite(start.loss):
        return ()
    if _padding_counts(start):
        return (_padded(start),)
    base, name = _base(start)
    if base is None or not 0 < base < math.inf:
        return ()
    bound = TOO_HIGH if name == "the best constant guess" else TOO_LARGE
    if start.loss <= bound * base:
        return ()
    sentence = f"The first loss is {start.loss:.3g}, {start.loss / base:.3g} times that of {name} ({base:.3g})"
    finding = Finding(
        symptom="wrong-first-loss",
        where="output",
        severity=severity(history),
        sentence=sentence + _why(history, start) + ".",
        evidence={"first_loss": start.loss, "base_loss": base},
        cause=_cause(history, start),
    )
    return (finding,)


def _seen(history: History) -> Start | None:
    """Where nothing was measured beforehand, what the first look has: the loss of its weights, and of zeros."""
    chain = history.first
    return None if chain is None else Start(loss=chain.loss, known_loss=chain.known_loss)


def _padding_counts(start: Start) -> bool:
    if start.padded is None or start.constant_loss is None or start.known_loss is None:
        return False
    return start.padded > MOSTLY_PADDED and start.constant_loss < GUESSED * start.known_loss


def _padded(start: Start) -> Finding:
    """Always a warning: the loss falls quickly, but by learning the padding."""
    guess, known, padded = float(start.constant_loss or 0), float(start.known_loss or 0), float(start.padded or 0)
    return Finding(
        symptom="wrong-first-loss",
        where="loss",
        severity="warning",
        sentence=(
            f"{padded:.0%} of the target's positions are one repeated value and the loss counts them: "
            f"a constant guess has {guess:.3g}, where an output of zeros has {known:.3g}."
        ),
        evidence={"padded": padded, "constant_loss": guess, "known_loss": known},
        cause="loss-choice",
    )


def _base(start: Start) -> tuple[float | None, str]:
    """What to compare with. Classes may be rare, which the first weights cannot know: there, zeros are the measure."""
    if start.target_mean is not None or start.known_loss is None:
        return start.constant_loss, "the best constant guess"
    return start.known_loss, "an output of zeros"


def _outputs_too_large(start: Start) -> bool:
    """Whether the excess is the network's own: an output of zeros would lose far less."""
    return start.known_loss is not None and start.loss > TOO_LARGE * start.known_loss


def _cause(history: History, start: Start) -> Cause:
    if not _outputs_too_large(start):
        return "target-scale" if start.target_mean is not None else "output-activation"
    if start.complaint:
        return "output-activation"
    return "data-scale" if input_size(history) > RAW else "initialisation"


def _why(history: History, start: Start) -> str:
    if _outputs_too_large(start):
        size = input_size(history)
        return f": the inputs have an rms of {size:.3g}" if size > RAW else ": the first outputs are too large"
    if start.target_mean is None or start.target_spread is None:
        return ""
    return f": the target has a mean of {start.target_mean:.3g} and a spread of {start.target_spread:.3g}"


WRONG_FIRST_LOSS = SymptomPart(
    name="wrong-first-loss",
    summary="a first loss far above that of a network that knows nothing",
    source="for outputs near 0: loss/variance = 1 + mean²/variance; ln C for classes",
    symptom="wrong-first-loss",
    reads="output",
    call=wrong_first_loss,
    causes=("target-scale", "initialisation", "loss-choice", "data-scale", "output-activation"),
    no_onset="cannot begin in mid-run: it is the loss of the first weights",
)
