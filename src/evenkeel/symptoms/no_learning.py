"""No learning: the loss does not come down as it could, and the reason by the evidence, the certain before the likely.

    learned = (constant guess - loss) / (constant guess - small sound network on the same batches)

Looked for in turn: steps that are not taken, are lost, too short or too long; an output that cannot fit; units that are
all alike; what the other symptoms see; raw scales; and, where nothing of that is to be seen, the training loop itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import fmean

from evenkeel.chain import Link
from evenkeel.finding import Finding, Severity
from evenkeel.symptoms.accumulating_gradient import accumulating_gradient
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.collapsed_output import collapsed_output
from evenkeel.symptoms.dead_units import dead_units
from evenkeel.symptoms.exploding_gradient import exploding_gradient
from evenkeel.symptoms.frozen_parameters import frozen_parameters
from evenkeel.symptoms.harm import FEWEST_STEPS, harm, harmed, level, severity
from evenkeel.symptoms.history import History, Start
from evenkeel.symptoms.input_blind import input_blind
from evenkeel.symptoms.oscillation import oscillation
from evenkeel.symptoms.saturated_units import saturated_units
from evenkeel.symptoms.scales import RAW, input_size, target_size
from evenkeel.symptoms.steps import (
    Reason,
    long,
    lost,
    restless,
    short,
    short_descent,
    skipped,
    slow,
    step_size,
    stopped,
)
from evenkeel.symptoms.stretch import finite
from evenkeel.symptoms.validation import ValidationCurve
from evenkeel.symptoms.vanishing_gradient import vanishing_gradient

OUT_OF_REACH = 0.1
"""Share of the possible gain that an output's range may take away."""
ALIKE = 1e-6
"""1 - cosine of two examples' features, from which they are one direction but for rounding: all units are alike."""
RANK_ONE = 0.99
"""Gain over the Frobenius norm from which a weight has but one direction."""
FEWEST_UNITS = 8
"""A smaller random weight may come near to one direction by chance."""
UNTAUGHT, UNMOVED = 0.9, 0.95
"""Shares of the constant guess's loss: a sound network stays above the first, validation too, but for chance."""
FITTED = 0.2
"""Share of its loss that one batch alone must lose, in the few steps that are tried, to be on its way to by heart."""
FAR_OFF = 3.0
"""Times the constant guess's loss that the first weights must lose for the loss itself to be in doubt."""
SEES_NOTHING = 0.01
"""Relative difference in loss that zeroed inputs must make to be used at all."""
LEAST_LEARNED = 1e-3
"""Share of its first value that a validation loss must lose to have fallen at all."""
TELLING = (
    frozen_parameters, accumulating_gradient, vanishing_gradient, exploding_gradient, dead_units, saturated_units,
    input_blind, collapsed_output, oscillation,
)  # fmt: skip
"""Symptoms that explain why nothing is learned, the more certain first."""


def no_learning(history: History) -> tuple[Finding, ...]:
    """Where the loss stands, and the first reason that the evidence speaks for."""
    losses = [point.loss for point in history.losses if math.isfinite(point.loss)]
    if len(losses) < FEWEST_STEPS or not all(math.isfinite(point.loss) for point in history.losses[-3:]):
        return ()
    untaught = _untaught(history)
    if not harmed(history) and untaught is None:
        return ()
    reason = untaught or next((first for find in _REASONS if (first := find(history)) is not None), None)
    because = "" if reason is None else f": {reason.because}"
    finding = Finding(
        symptom="no-learning",
        where="training",
        severity=_severity(history, untaught),
        sentence=f"{_standing(history, losses)}{because}.{_single(history)}",
        evidence=_evidence(history, losses),
        cause=None if reason is None else reason.cause,
    )
    return (finding,)


def never_below_start(curve: ValidationCurve) -> Finding | None:
    """A validation loss that is at best what it was before the first update."""
    start, best = curve.first, curve.best.loss
    if not curve.learned <= LEAST_LEARNED * max(abs(start), 1e-12):
        return None
    return Finding(
        symptom="no-learning",
        where="validation",
        severity="warning",
        sentence=f"The validation loss never fell below its start: {start:.4g} at first, {best:.4g} at best.",
        evidence={"start_loss": start, "best_loss": best, "last_loss": curve.last},
    )


def _severity(history: History, untaught: Reason | None) -> Severity:
    return severity(history) if untaught is None or harmed(history) else "warning"


def _standing(history: History, losses: list[float]) -> str:
    """Where the loss stands: between a constant guess and a sound network, or beside its own beginning."""
    start = history.start
    constant = None if start is None else finite(start.constant_loss)
    reachable = None if start is None else finite(start.reachable_loss)
    if constant is not None and reachable is not None:
        return (
            f"After {history.steps} steps the loss is {level(losses):.3g}, where the best constant guess has "
            f"{constant:.3g} and a small sound network reaches {reachable:.3g}"
        )
    quarter = max(3, len(losses) // 4)
    first, last = fmean(losses[:quarter]), fmean(losses[-quarter:])
    return f"The loss of the last {quarter} steps is {last:.3g}, that of the first {quarter} was {first:.3g}"


def _single(history: History) -> str:
    """Whether one batch alone can be learned, where that was tried."""
    fitted = _fits_one(history.start)
    if fitted is None or history.start is None:
        return ""
    numbers = f"({history.start.single_loss:.3g} to {history.start.fitted_loss:.3g})"
    return f" One batch alone {'can' if fitted else 'cannot'} be learned {numbers}."


def _fits_one(start: Start | None) -> bool | None:
    single, fitted = (None, None) if start is None else (finite(start.single_loss), finite(start.fitted_loss))
    if start is None or single is None or fitted is None:
        return None
    return single - fitted >= FITTED * (single - (finite(start.free_floor) or 0.0))


def _evidence(history: History, losses: list[float]) -> dict[str, float]:
    start = history.start
    numbers = {
        "loss": level(losses),
        "harm": harm(history),
        "steps": float(history.steps),
        "constant_loss": start and start.constant_loss,
        "reachable_loss": start and start.reachable_loss,
        "step_size": step_size(history),
        "zeroed_loss": history.zeroed_loss,
        "seen_loss": history.seen_loss,
    }
    return {name: float(value) for name, value in numbers.items() if value is not None and not math.isnan(value)}


def _output(history: History) -> Reason | None:
    """An output, loss and target that do not fit."""
    start = history.start
    if start is None:
        return None
    floor, free, constant = start.output_floor, start.free_floor, start.constant_loss
    if (
        floor is not None
        and free is not None
        and constant is not None
        and floor - free > OUT_OF_REACH * (constant - free)
    ):
        name = f" of `{start.output_operation}`" if start.output_operation else ""
        return Reason("output-activation", f"no outputs{name} bring it below {floor:.3g}")
    if not start.complaint:
        return None
    complaint = start.complaint.strip().rstrip(".")
    return Reason("output-activation" if start.output_operation else "loss-choice", complaint)


def _alike(history: History) -> Reason | None:
    """Units that all start the same: they stay the same, since they get the same gradient."""
    links = [] if history.first is None else list(history.first.links)
    hidden = [link for link in links[:-1] if link.kind in ("linear", "convolution") and (link.width or 0) > 1]
    for link in hidden:
        if any(term.rms == 0 and len(term.shape) > 1 for term in link.terms):
            return Reason("initialisation", f"the weights of `{link.name}` all start at 0")
        if _one_direction(link) or (link is hidden[0] and _one_feature(history, link)):
            return Reason("initialisation", f"all {link.width} units of `{link.name}` start alike")
    return None


def _one_direction(link: Link) -> bool:
    """Whether the gradient passes with the weight's whole Frobenius norm: it then has but one direction."""
    term = link.terms[0] if link.terms else None
    if term is None or link.kind != "linear" or link.norm or link.gain is None or len(term.shape) != 2:
        return False
    norm = term.rms * math.sqrt(math.prod(term.shape))
    return min(term.shape) >= FEWEST_UNITS and norm > 0 and link.gain >= RANK_ONE * norm


def _one_feature(history: History, link: Link) -> bool:
    """Whether the first features of all examples are one direction, though the examples are not."""
    start = history.start
    size = 0.0 if start is None else math.hypot(*start.input_scales)
    spread = 0.0 if start is None else math.hypot(*start.input_spreads)
    inputs_alike = size > 0 and spread < 0.01 * size
    return link.similarity is not None and link.similarity > 1 - ALIKE and not inputs_alike and link.dead != 1.0


def _others(history: History) -> Reason | None:
    """What another symptom sees, where it names a cause."""
    for look_for in TELLING:
        for finding in look_for(history):
            if finding.severity != "note" and finding.cause is not None:
                return Reason(finding.cause, f"{finding.symptom.replace('-', ' ')} in {finding.where}")
    return None


def _scales(history: History) -> Reason | None:
    """A raw target before raw inputs: it is what the output has to reach."""
    target, inputs = target_size(history), input_size(history)
    if target > RAW:
        return Reason("target-scale", f"the target is of size {target:.3g}")
    return Reason("data-scale", f"an input feature has an rms of {inputs:.3g}") if inputs > RAW else None


def _loop(history: History) -> Reason | None:
    """What is left where the network itself can learn: the loop around it."""
    evaluating = history.looks[-1].evaluating if history.looks else ()
    if evaluating:
        return Reason("training-loop", f"`{evaluating[0]}` (of {len(evaluating)} such layers) is in evaluation mode")
    if not _fits_one(history.start):
        return None
    if _unmoved(history):
        return Reason("training-loop", "nor does the validation loss move")
    zeroed, seen = history.zeroed_loss, history.seen_loss
    if zeroed is not None and seen is not None and abs(zeroed - seen) <= SEES_NOTHING * abs(seen):
        return Reason("training-loop", f"with its inputs zeroed it is {zeroed:.3g}, so they are not used")
    return None


def _unmoved(history: History) -> bool:
    """Whether the validation loss was never below what a constant guess, or its own start, has."""
    points = [point.loss for point in history.validation if math.isfinite(point.loss)]
    known = None if history.start is None else history.start.constant_loss
    return len(points) > 1 and min(points) >= UNMOVED * (points[0] if known is None else known)


def _untaught(history: History) -> Reason | None:
    """Inputs that tell nothing of the targets, though a batch can be learned by heart: shuffled against each other?"""
    start = history.start
    if start is None or start.constant_loss is None or start.reachable_loss is None or start.constant_loss <= 0:
        return None
    taught = start.reachable_loss < UNTAUGHT * start.constant_loss
    if taught or not _fits_one(start) or not _unmoved(history):
        return None
    if start.loss > FAR_OFF * start.constant_loss:
        return Reason("loss-choice", f"the first loss is {start.loss:.3g}: the loss makes far too much of its input")
    return Reason("training-loop", "the inputs seem to tell nothing of the targets")


_REASONS: tuple[Callable[[History], Reason | None], ...] = (
    skipped, stopped, lost, short, long, _output, _alike, _others, short_descent, _scales, _loop, slow, restless,
)  # fmt: skip

NO_LEARNING = SymptomPart(
    name="no-learning",
    summary="a loss that does not come down as it could",
    source="the gain on a constant guess that a small sound network reaches on the same batches",
    symptom="no-learning",
    reads="course",
    call=no_learning,
    causes=(
        "learning-rate", "initialisation", "activation", "depth", "output-activation", "numerics", "target-scale",
        "data-scale", "training-loop", "optimizer", "loss-choice",
    ),
)  # fmt: skip
