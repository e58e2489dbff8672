"""Dead units: rectified units that are zero for every input seen; no gradient passes them, so they stay so.

    P(a layer of n fresh units is dead for one input) = 2^-n        for symmetric weights and no bias

A layer without a live unit cuts the chain. Source: Lu 2019 (doi:10.48550/arXiv.1903.06733).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from evenkeel.chain import Chain, Link
from evenkeel.finding import Cause, Finding
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.blindness import blindness
from evenkeel.symptoms.harm import harmed, severity
from evenkeel.symptoms.history import History, Observation
from evenkeel.symptoms.scales import RAW, input_size, off_center, step_cause
from evenkeel.symptoms.stretch import FAR, by_initialisation, explains, finite

MANY = 0.5
"""Share of dead units from which a layer is worth naming: half of it does nothing."""
FEWEST_EXAMPLES = 8
"""A live unit is zero for half of the inputs: with so many, less than one in 200 is zero for all by chance."""
LIKELY = 0.01
"""Chance that one of the layers is born dead from which that is an explanation."""


@dataclass(frozen=True, kw_only=True)
class _Dead:
    """The layer that has lost most, at the look where it first had."""

    look: Observation
    link: Link
    share: float
    born: bool
    """Whether the first weights already showed it."""
    cuts: bool
    """Whether it is a whole layer that every path passes."""


def dead_units(history: History) -> tuple[Finding, ...]:
    """Read dead units off a history: a whole layer, or half of one while learning is harmed."""
    dead = _worst(history)
    if dead is None or (not dead.cuts and not harmed(history)) or _follows(history, dead):
        return ()
    cause = _cause(history, dead)
    grade = severity(history)
    if harmed(history):  # half a layer still learns
        grade = "critical" if dead.cuts else "warning"
    evidence = {"dead": dead.share, "width": float(dead.link.width or 0), "step": float(dead.look.step)}
    return (
        Finding(
            symptom="dead-units",
            where=dead.link.name,
            severity=grade,
            sentence=_sentence(dead, cause),
            evidence=evidence,
            cause=cause,
        ),
    )


def _follows(history: History, dead: _Dead) -> bool:
    """Whether units that died later only show what the first weights had in them: nothing to learn from."""
    chain = next((look.chain for look in history.looks if look.chain is not None), None)
    return not dead.born and (explains(history) or (chain is not None and blindness(chain) is not None))


def _worst(history: History) -> _Dead | None:
    """The latest state counts; the look named is the first at which the layer had come to it."""
    last = next((look for look in reversed(history.looks) if look.chain is not None), None)
    if last is None or last.chain is None:
        return None
    cuts = {link.name for link in last.chain.links if link.exact_cut}
    shares = [(link, share) for link, share in _shares(last.chain) if share == 1.0 or share >= MANY]
    if not shares:
        return None
    link, share = max(shares, key=lambda pair: (pair[1] == 1.0 and pair[0].name in cuts, pair[1]))
    level = 1.0 if share == 1.0 else MANY
    look = next(look for look in history.looks if _share_in(look, link.name) >= level)
    opening = next(look for look in history.looks if look.chain is not None)
    cut = share == 1.0 and link.name in cuts
    return _Dead(look=look, link=_link_in(look, link.name) or link, share=share, born=look is opening, cuts=cut)


def _shares(chain: Chain) -> Iterator[tuple[Link, float]]:
    few = chain.batch is not None and chain.batch < FEWEST_EXAMPLES
    for _, link in chain.walk():
        share = finite(link.dead)
        if share is not None and (share == 1.0 or not few):
            yield link, share


def _share_in(look: Observation, name: str) -> float:
    return 0.0 if look.chain is None else max((s for link, s in _shares(look.chain) if link.name == name), default=0.0)


def _link_in(look: Observation, name: str) -> Link | None:
    links = () if look.chain is None else (link for _, link in look.chain.walk())
    return next((link for link in links if link.name == name), None)


def _cause(history: History, dead: _Dead) -> Cause:
    if not dead.born:
        return step_cause(history)
    if off_center(history) > RAW or input_size(history) > RAW:
        return "data-scale"
    if _biases_rule(dead):
        return "initialisation"
    links = () if dead.look.chain is None else tuple(link for link in dead.look.chain.links if link.width)
    if abs(by_initialisation(links, 1.0)) >= FAR:
        return "initialisation"
    layers = [link.width for link in links if link.activation is not None and link.width]
    chance = sum(2.0**-width for width in layers)
    alike = (finite(dead.link.similarity) or 0.0) > 1 - 1 / RAW
    return "depth" if chance >= LIKELY or alike else "initialisation"


def _biases_rule(dead: _Dead) -> bool:
    """Whether the layer's biases are larger than what its weights make of the inputs."""
    term = next(iter(dead.link.terms), None)
    if term is None or term.input_rms is None or not dead.link.width:
        return False
    reach = term.rms * term.input_rms * math.sqrt(math.prod(term.shape) / dead.link.width)
    bias = term.name.removesuffix("weight") + "bias"
    sizes = {each.name: each.weight_rms for each in dead.look.parameters}
    return sizes.get(bias, 0.0) > reach


def _sentence(dead: _Dead, cause: Cause) -> str:
    if dead.share == 1.0:
        begun = "from the first weights on" if dead.born else f"since step {dead.look.step}"
        opening = f"All units of `{dead.link.name}` are zero for every input, {begun}: no gradient passes"
    else:
        begun = "from the first weights on" if dead.born else f"first seen at step {dead.look.step}"
        opening = f"{100 * dead.share:.0f} % of the units of `{dead.link.name}` are zero for every input, {begun}"
    reasons: dict[Cause, str] = {
        "depth": "; in a net so deep and narrow that comes about by chance.",
        "initialisation": "; its weights and biases start on the dead side.",
        "data-scale": "; the inputs are not centred and scaled.",
        "target-scale": "; the raw target drives the steps too far.",
        "learning-rate": "; a step too large pushed it there.",
    }
    return opening + reasons.get(cause, ".")


DEAD_UNITS = SymptomPart(
    name="dead-units",
    summary="rectified units that are zero for every input seen",
    source="Lu 2019",
    symptom="dead-units",
    reads="chain",
    call=dead_units,
    causes=("depth", "learning-rate", "initialisation", "data-scale", "target-scale"),
)
