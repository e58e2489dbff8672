"""Saturated units: most entries of a bounded activation lie on its flat part, where next to no gradient passes.

    flat: slope below 5 % of the steepest, that is |tanh| > .975, or a sigmoid outside .013 ... .987

The output's own activation is left out: sure predictions are flat by nature. Source: Glorot and Bengio 2010.
"""

from __future__ import annotations

import math

from evenkeel.chain import Chain, Link
from evenkeel.finding import Cause, Finding
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.harm import severity
from evenkeel.symptoms.history import History, Observation
from evenkeel.symptoms.scales import step_cause
from evenkeel.symptoms.stretch import finite

MOST = 0.5
"""Share of flat entries worth naming; at the best initialisation of a tanh layer it is 3 %."""


def saturated_units(history: History) -> tuple[Finding, ...]:
    """Read saturated units off a history: at the first weights, or come with the steps."""
    looks = [look for look in history.looks if look.chain is not None]
    last = max(_flat(looks[-1]), key=lambda link: link.saturated or 0.0, default=None) if looks else None
    if last is None:
        return ()
    share = last.saturated or 0.0
    born = next((link for link in _flat(looks[0]) if link.name == last.name), None)
    since = next(look for look in looks if last.name in [link.name for link in _flat(look)])
    cause = step_cause(history) if born is None else _first_cause(born)
    evidence = {"saturated": share, "step": float(since.step)}
    return (
        Finding(
            symptom="saturated-units",
            where=last.name,
            severity=severity(history),
            sentence=_sentence(last, since, cause),
            evidence=evidence,
            cause=cause,
        ),
    )


def _flat(look: Observation) -> list[Link]:
    """The links before the output that are mostly flat."""
    return [] if look.chain is None else [link for link in _inner(look.chain) if (finite(link.saturated) or 0) >= MOST]


def _inner(chain: Chain) -> list[Link]:
    return [link for _, link in chain.walk() if link is not chain.links[-1]]


def _first_cause(link: Link) -> Cause:
    """Weights larger than ideal, or inputs larger than 1: whichever is more so."""
    term = next(iter(link.terms), None)
    if term is None or not term.input_rms or not term.rms:
        return "initialisation"
    weights = math.log(term.rms / term.ideal_rms) if term.ideal_rms else 0.0
    return "data-scale" if math.log(term.input_rms) > weights else "initialisation"


def _sentence(link: Link, since: Observation, cause: Cause) -> str:
    begun = f"since step {since.step}" if since.step > 1 else "from the first weights on"
    opening = (
        f"{100 * (link.saturated or 0.0):.0f} % of the {link.activation} entries of `{link.name}` are flat, {begun}"
    )
    term = next(iter(link.terms), None)
    reasons: dict[Cause, str] = {
        "initialisation": ": its weights start too large.",
        "data-scale": f": its inputs are {(term.input_rms if term else None) or 0.0:.2g} in size, not near 1.",
        "target-scale": ": the raw target drives the steps too far.",
        "learning-rate": ": steps too large pushed them there.",
    }
    return opening + reasons.get(cause, ".")


SATURATED_UNITS = SymptomPart(
    name="saturated-units",
    summary="most entries of a bounded activation lie on its flat part",
    source="Glorot and Bengio 2010",
    symptom="saturated-units",
    reads="chain",
    call=saturated_units,
    causes=("initialisation", "data-scale", "learning-rate", "target-scale"),
)
