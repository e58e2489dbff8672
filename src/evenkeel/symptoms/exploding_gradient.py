"""Exploding gradient: it grows along the chain, over time or from step to step until the weights are thrown about.

    chain    gain of the chain two decades or more above its ideal, or features that overflow on their way up
    time     (gain per step)^(steps) above a hundred, in a recurrent layer
    factor   |dL/dy| of one example (the first factor of the chain) above a hundred: a sound loss stays near 1
    steps    the gradient's norm a hundredfold above that of the first step, and the loss has risen or overflowed

The first two lie in the weights or the activation, the third in the loss or the target, the last in the steps.
Source: Pascanu 2013 (doi:10.48550/arXiv.1211.5063).
"""

from __future__ import annotations

import math
from itertools import takewhile

from evenkeel.chain import Link
from evenkeel.chain.record.recurrent import Direction
from evenkeel.finding import Cause, Finding, Severity
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.harm import harmed, level, severity
from evenkeel.symptoms.history import History, Observation
from evenkeel.symptoms.scales import RAW, input_size, largest_step, step_cause, target_size
from evenkeel.symptoms.stretch import FAR, Departure, Stretch, blame, finite, opening, stretch

HUNDREDFOLD = 10**FAR
"""Growth worth naming: a learning rate chosen for the beginning is then a hundred times too large."""


def exploding_gradient(history: History) -> tuple[Finding, ...]:
    """Read an exploding gradient off a history; the deepest reason that shows is the one that is named."""
    for read in (_over_time, _over_depth, _forwards, _first_factor, _by_steps):
        finding = read(history)
        if finding is not None:
            return (finding,)
    return ()


def _over_depth(history: History) -> Finding | None:
    departure = opening(history)
    if departure is None or not departure.reaches(FAR):
        return None
    worst = stretch(departure.links, 1.0)
    cause = blame(worst)
    lower, upper = worst.links[0].name, worst.links[-1].name
    path = f"in `{lower}`" if lower == upper else f"between `{upper}` and `{lower}`"
    sentence = f"The gradient grows {worst.gain:.2g}-fold {path}: {_because(worst, cause)}."
    grade = _grade(history)
    if grade == "note":
        sentence += " No harm is seen."
    return _finding(grade, worst.where, sentence, cause, departure.look, _depth_evidence(departure, worst))


def _depth_evidence(departure: Departure, worst: Stretch) -> dict[str, float]:
    return {
        "gain": departure.gain,
        "decades": departure.decades,
        "scatter": departure.scatter,
        "links": float(len(worst.links)),
    }


def _because(worst: Stretch, cause: Cause) -> str:
    if cause == "initialisation":
        known = [link.expected_gain for link in worst.links if link.expected_gain and link.ideal_gain]
        mean = math.exp(sum(map(math.log, known)) / len(known))
        return f"the weights there start at a size that multiplies it by {mean:.2g} a layer"
    if cause == "activation":
        return "even at its best initialisation the activation there multiplies it in each layer"
    if len(worst.links) == 1:
        return "theory knows no gain for it"
    return f"each link is near what it should be, but {len(worst.links)} in a row multiply it"


def _over_time(history: History) -> Finding | None:
    """A recurrent layer that multiplies the gradient at each step: its first weights, or those that steps made."""
    for look in history.looks:
        growing = _growing(look)
        if growing and (look.step <= 1 or harmed(history)):
            name, direction = max(growing, key=lambda pair: pair[1].gain)
            steps = len(direction.step_gains)
            begun = look.step <= 1
            cause: Cause = "initialisation" if begun else step_cause(history)
            weights = "at its first weights" if begun else f"by step {look.step}"
            sentence = (
                f"In `{name}` the gradient grows {direction.gain:.2g}-fold a step over {steps + 1} steps {weights}: "
                f"{_power(direction)}-fold in all."
            )
            evidence = {"gain_per_step": direction.gain, "steps": float(steps + 1)}
            return _finding(severity(history), f"{name}, over time", sentence, cause, look, evidence)
    return None


def _growing(look: Observation) -> list[tuple[str, Direction]]:
    links = [] if look.chain is None else [link for _, link in look.chain.walk() if link.steps is not None]
    directions = [(link.name, direction) for link in links if link.steps for direction in link.steps.directions]
    return [
        (name, direction)
        for name, direction in directions
        if (finite(direction.gain) or 0.0) > HUNDREDFOLD ** (1 / max(1, len(direction.step_gains)))
    ]


def _power(direction: Direction) -> str:
    decades = math.log10(direction.gain) * len(direction.step_gains)
    return f"{10**decades:.2g}" if decades < 300 else f"10^{decades:.0f}"


def _forwards(history: History) -> Finding | None:
    """Features that grow from link to link until they overflow, at the first weights."""
    chain = history.first
    if chain is None or not history.looks:
        return None
    links = [link for link in chain.links if link.forward_rms is not None]
    sound = list(takewhile(lambda link: finite(link.forward_rms) is not None, links))
    if len(sound) in (0, len(links)):
        return None
    first = finite(sound[0].input_rms) or finite(sound[0].forward_rms) or 0.0
    last = finite(sound[-1].forward_rms) or 0.0
    if last < RAW * first:
        return None
    over = links[len(sound)]
    cause: Cause = "activation" if any(_without_theory(link) for link in sound) else "initialisation"
    sentence = (
        f"The features grow from {first:.2g} below `{sound[0].name}` to {last:.2g} above `{sound[-1].name}` "
        f"and overflow in `{over.name}`, before any step."
    )
    evidence = {"first_rms": first, "last_rms": last, "links": float(len(sound) + 1)}
    where = f"{sound[0].name} to {over.name}"
    return _finding(severity(history), where, sentence, cause, history.looks[0], evidence)


def _without_theory(link: Link) -> bool:
    """Whether more than weights and a known activation is at work."""
    return link.ideal_gain is None


def _first_factor(history: History) -> Finding | None:
    """The loss itself hands down too much: a raw target, or a loss scaled up."""
    look = next((look for look in history.looks if look.chain is not None), None)
    if look is None or look.chain is None or look.chain.starts_at != "output" or not harmed(history):
        return None
    last = look.chain.links[-1] if look.chain.links else None
    if last is None or last.activation is not None or not last.terms:
        return None  # behind a softmax or sigmoid the loss's slope of 1/p at a small p is made good by theirs
    factor = finite(look.chain.output_gradient)
    size = None if factor is None else factor * math.sqrt(look.chain.batch or 1)
    if size is None or size < HUNDREDFOLD:
        return None
    scale = step_cause(history)
    cause: Cause = "loss-choice" if scale == "learning-rate" else scale
    reason = "the loss is scaled up that much" if cause == "loss-choice" else _step_reason(history, cause)
    sentence = f"The loss hands {size:.2g} of gradient to each example's output, where about 1 is usual: {reason}."
    return _finding(_grade(history), "output", sentence, cause, look, {"output_gradient": size})


def _by_steps(history: History) -> Finding | None:
    """Growth from the first step on, while the loss rises or overflows."""
    losses = [point.loss for point in history.losses]
    if not losses or not math.isfinite(losses[0]):
        return None
    known = [loss for loss in losses if math.isfinite(loss)]
    if len(known) == len(losses) and level(losses) <= losses[0]:
        return None
    growth, look = _growth(history)
    if look is None or growth < HUNDREDFOLD or not harmed(history):
        return None
    cause = step_cause(history)
    sentence = f"From step 1 to step {look.step} the gradient grew {_times(growth)} and the loss {_rise(losses)}: "
    sentence += f"{_step_reason(history, cause)}."
    evidence = {"growth": growth, "rate": look.rate, "first_loss": losses[0], "largest_loss": max(known)}
    step = largest_step(history)
    if step is not None:
        evidence["largest_step"] = step
    return _finding(severity(history), "training", sentence, cause, look, evidence)


def _growth(history: History) -> tuple[float, Observation | None]:
    """The largest gradient norm seen over that of the first look, and the first look far above or not finite."""
    norms = [(look, look.gradient_norm) for look in history.looks if look.gradient_norm is not None]
    if not norms or not math.isfinite(norms[0][1]) or norms[0][1] <= 0:
        return 0.0, None
    base, largest, at = norms[0][1], 1.0, None
    for look, norm in norms[1:]:
        grown = norm / base if math.isfinite(norm) else math.inf
        if grown > largest:
            largest, at = grown, look
    if math.isinf(largest) and not _rose_before(history):
        return 0.0, None
    return largest, at


def _rose_before(history: History) -> bool:
    """Whether the loss had grown before the first one that was not finite; else nothing exploded, something broke."""
    sound = list(takewhile(math.isfinite, (point.loss for point in history.losses)))
    return len(sound) > 1 and max(map(abs, sound[1:])) > RAW * abs(sound[0])


def _times(growth: float) -> str:
    return "beyond all numbers" if math.isinf(growth) else f"{growth:.2g}-fold"


def _rise(losses: list[float]) -> str:
    known = [loss for loss in losses if math.isfinite(loss)]
    if len(known) < len(losses):
        return f"rose from {losses[0]:.3g} to {max(known):.3g} and overflowed"
    return f"rose from {losses[0]:.3g} to {max(known):.3g}"


def _step_reason(history: History, cause: Cause) -> str:
    if cause == "target-scale":
        return f"the target is {target_size(history):.2g} in size, not near 1"
    if cause == "data-scale":
        return f"an input is {input_size(history):.2g} in size, not near 1"
    rate = next((look.rate for look in history.looks), 0.0)
    return f"at a learning rate of {rate:.2g} each step overshoots"


def _grade(history: History) -> Severity:
    """By harm; an optimizer that rescales each entry is not alone thrown off by a gradient that is merely large."""
    grade = severity(history)
    return "warning" if grade == "critical" and history.optimizer == "adaptive" else grade


def _finding(
    grade: Severity, where: str, sentence: str, cause: Cause, look: Observation, evidence: dict[str, float]
) -> Finding:
    return Finding(
        symptom="exploding-gradient",
        where=where,
        severity=grade,
        sentence=sentence,
        evidence={**evidence, "step": float(look.step)},
        cause=cause,
    )


EXPLODING_GRADIENT = SymptomPart(
    name="exploding-gradient",
    summary="the gradient grows along the chain, over time or from step to step",
    source="Pascanu 2013",
    symptom="exploding-gradient",
    reads="chain",
    call=exploding_gradient,
    causes=("learning-rate", "initialisation", "activation", "depth", "target-scale", "data-scale", "loss-choice"),
)
