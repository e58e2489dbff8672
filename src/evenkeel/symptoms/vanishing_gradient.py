"""Vanishing gradient: what reaches the lower layers, or the early time steps, is too little to learn from.

    depth   gain of the chain = product of the links' gains, two decades or more below its ideal (or below 1)
    time    (gain per step)^(steps) below a thousandth, in a recurrent layer

Detected by the harm done, explained by theory: see `blame`. Source: Hochreiter 1991; Glorot and Bengio 2010.
"""

from __future__ import annotations

import math

from evenkeel.chain.record.recurrent import FORGOTTEN, Direction
from evenkeel.finding import Cause, Finding, Severity
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.harm import harmed, lag_severity, severity, shape_severity
from evenkeel.symptoms.history import History, Observation
from evenkeel.symptoms.stretch import FAR, Departure, Stretch, against_theory, blame, finite, latest, opening, stretch

ADAM_COPES = 3.0
"""Decades that an optimizer which rescales each entry makes good for long: below, noise and its epsilon take over."""
SURELY = 3.0
"""Decades from which a lag counts however fast the loss falls: the lower layers learn later, if at all."""
FLAT = 0.5
"""Share of entries on the flat part from which a layer counts as saturated by its steps."""


def vanishing_gradient(history: History) -> tuple[Finding, ...]:
    """Read a vanishing gradient off a history: over depth at the first weights, over time, or later in training."""
    first = opening(history)
    if first is not None and first.reaches(-FAR):
        return (_over_depth(history, first),)
    over_time = _over_time(history)
    if over_time is not None:
        return (over_time,)
    last = latest(history)
    if last is not None and first is not None and last.look.step > first.look.step and harmed(history):
        return (_in_training(history, last),) if last.reaches(-FAR) else ()
    return ()


def _over_depth(history: History, departure: Departure) -> Finding:
    worst = stretch(departure.links, -1.0)
    cause = blame(worst)
    grade = _grade(history, departure)
    sentence = f"{_lost(worst)}: {_because(worst, cause)}."
    if grade == "note" and history.optimizer == "adaptive":
        sentence += " Adam's steps do not shrink with it, and no harm is seen."
    return _finding(worst, departure, grade, sentence, cause)


def _in_training(history: History, departure: Departure) -> Finding:
    """The first weights were sound. One broken link is the doing of steps; many weak ones are a chain too long."""
    worst = stretch(departure.links, -1.0)
    single = min(math.log10(max(finite(link.gain) or 1.0, 1e-45)) for link in worst.links)
    flat = any((finite(link.saturated) or 0.0) >= FLAT for link in worst.links)
    cause: Cause = "learning-rate" if flat or single <= worst.decades / 2 else "depth"
    sentence = f"By step {departure.look.step}, {_uncapitalised(_lost(worst))}; at the first weights it was sound."
    return _finding(worst, departure, severity(history), sentence, cause)


def _finding(worst: Stretch, departure: Departure, grade: Severity, sentence: str, cause: Cause) -> Finding:
    evidence = {
        "gain": departure.gain,
        "decades": departure.decades,
        "scatter": departure.scatter,
        "links": float(len(worst.links)),
        "stretch_gain": worst.gain,
        "step": float(departure.look.step),
    }
    where = worst.where
    return Finding(
        symptom="vanishing-gradient", where=where, severity=grade, sentence=sentence, evidence=evidence, cause=cause
    )


def _grade(history: History, departure: Departure) -> Severity:
    """By harm; a loss that an adaptive optimizer copes with is not alone to blame for learning nothing."""
    grade = lag_severity(history) if departure.reaches(-SURELY) else shape_severity(history)
    mild = history.optimizer == "adaptive" and departure.decades > -ADAM_COPES
    return "warning" if grade == "critical" and mild else grade


def _lost(worst: Stretch) -> str:
    """How much is left at the lower end."""
    lower, upper = worst.links[0].name, worst.links[-1].name
    if lower == upper:
        return f"Only {100 * worst.gain:.2g} % of the gradient passes `{lower}`"
    return f"Only {100 * worst.gain:.2g} % of the gradient at `{upper}` comes out below `{lower}`"


def _because(worst: Stretch, cause: Cause) -> str:
    """Theory's explanation, with its number: geometric means over the stretch."""
    if cause == "activation":
        ideals = [(link.ideal_gain, link.activation) for link in worst.links if link.activation and link.ideal_gain]
        best, name = min(ideals, key=lambda pair: pair[0])
        return f"even at its best initialisation each {name} layer passes on {best:.2g} of it"
    if cause == "initialisation":
        if against_theory(worst.links, -1.0) >= abs(worst.decades) / 2:
            return "the weights there are no random draw, and cancel each other"
        known = [link.expected_gain for link in worst.links if link.expected_gain and link.ideal_gain]
        mean = math.exp(sum(map(math.log, known)) / len(known))
        return f"the weights there start at a size that passes on {mean:.2g} of it a layer"
    if len(worst.links) == 1:
        return "theory knows no gain for it"
    return f"each link is near what it should be, but {len(worst.links)} in a row lose it"


def _over_time(history: History) -> Finding | None:
    """The recurrent layer and direction that forgets fastest over the length it was shown, while learning is harmed."""
    if not harmed(history):
        return None
    look = next((look for look in history.looks if look.chain is not None and _fading(look)), None)
    if look is None:
        return None
    name, direction = min(_fading(look), key=lambda pair: pair[1].gain)
    length = len(direction.step_gains)
    span = direction.span or math.ceil(math.log(FORGOTTEN) / math.log(direction.gain))
    sentence = (
        f"In `{name}` the gradient keeps {direction.gain:.2g} of itself a step: 0.1 % is left after {span} of the "
        f"{length + 1} steps, so what came earlier is not learned."
    )
    evidence = {
        "gain_per_step": direction.gain,
        "steps": float(length + 1),
        "span": float(span),
        "step": float(look.step),
    }
    return Finding(
        symptom="vanishing-gradient",
        where=f"{name}, over time",
        severity=severity(history),
        sentence=sentence,
        evidence=evidence,
        cause="depth",
    )


def _fading(look: Observation) -> list[tuple[str, Direction]]:
    """Recurrent layers and directions whose gradient is forgotten within the sequence."""
    links = [] if look.chain is None else [link for _, link in look.chain.walk() if link.steps is not None]
    directions = [(link.name, direction) for link in links if link.steps for direction in link.steps.directions]
    return [
        (name, direction)
        for name, direction in directions
        if finite(direction.gain) is not None
        and 0 < direction.gain < FORGOTTEN ** (1 / max(1, len(direction.step_gains)))
    ]


def _uncapitalised(text: str) -> str:
    return text[0].lower() + text[1:]


VANISHING_GRADIENT = SymptomPart(
    name="vanishing-gradient",
    summary="what reaches the lower layers, or the early steps, is too little to learn from",
    source="Hochreiter 1991; Glorot and Bengio 2010",
    symptom="vanishing-gradient",
    reads="chain",
    call=vanishing_gradient,
    causes=("activation", "initialisation", "depth", "learning-rate"),
)
