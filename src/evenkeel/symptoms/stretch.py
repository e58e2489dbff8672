"""How much of the gradient the links of a chain lose or gain beyond what they should, in decades, and why by theory.

decades of a link   log10(gain / reference)
reference           its ideal gain; 1 where no theory says, and where its activation cannot do better than less
departure           log10(total gain / product of the references), to be compared with the scatter of chance
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evenkeel.chain import Chain, Link
from evenkeel.chain.link import ratio
from evenkeel.finding import Cause
from evenkeel.symptoms.history import History, Observation

FAR = 2.0
"""Decades from which a departure is worth naming: at a hundredth, no single learning rate suits both ends."""
CHANCE = 2.0
"""Standard deviations of one example's total gain that chance alone explains (a batch scatters less)."""
SMALLEST = 1e-45
"""The least positive number of float32: what a gradient that underflowed is taken for."""


@dataclass(frozen=True, kw_only=True)
class Departure:
    """How far a chain as a whole lies from its reference; negative decades: the gradient shrinks on its way down."""

    look: Observation
    links: tuple[Link, ...]
    gain: float
    decades: float
    scatter: float

    def reaches(self, decades: float) -> bool:
        """Whether it lies that far out in the direction of the sign, and outside what chance explains."""
        beyond = self.decades * math.copysign(1.0, decades)
        return beyond >= abs(decades) and beyond > CHANCE * self.scatter


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Links in a row, in forward order, and the decades that they lose (negative) or gain together."""

    links: tuple[Link, ...]
    decades: float

    @property
    def gain(self) -> float:
        """The product of the links' gains."""
        return math.prod(known_gain(link) for link in self.links)

    @property
    def where(self) -> str:
        """The names of the two ends."""
        lower, upper = self.links[0].name, self.links[-1].name
        return lower if lower == upper else f"{lower} to {upper}"


def finite(value: float | None) -> float | None:
    """The number, or None where there is none.

    Example:
        >>> finite(2.0), finite(float("nan")), finite(None)
        (2.0, None, None)
    """
    return value if value is not None and math.isfinite(value) else None


def known_gain(link: Link) -> float:
    """A link's gain; an underflow counts as the smallest number, an unknown one as 1."""
    gain = finite(link.gain)
    return 1.0 if gain is None else max(gain, SMALLEST)


def has_weights(link: Link) -> bool:
    """Whether the link or one inside its branches multiplies with weights."""
    return any(inner.terms for _, inner in link.walk())


def body(chain: Chain) -> tuple[Link, ...]:
    """The links with a gain, up to the last weighted one without an activation on the output.

    What follows belongs to output and loss: how they fit each other is another matter than how far a gradient gets.
    """
    links = [link for link in chain.links if link.gain is not None]
    while links and not has_weights(links[-1]):
        links.pop()
    if links and links[-1].activation is not None:
        links.pop()
    return tuple(links)


def departure(look: Observation) -> Departure | None:
    """How far the chain of a look lies from its reference; None where no gradient, or a dead or zero layer, tells."""
    chain = look.chain
    links = body(chain) if chain is not None else ()
    if chain is None or not links or any(blocked(link) for link in links):
        return None
    above = links[-1].output_gradient_norm
    total = finite(ratio(chain.input_gradient, above))
    if total is None or not above:
        return None
    gain = max(total, SMALLEST)
    decades = math.log10(gain) - math.fsum(math.log10(reference(link)) for link in links)
    return Departure(look=look, links=links, gain=gain, decades=decades, scatter=finite(chain.ideal_scatter) or 0.0)


def blocked(link: Link) -> bool:
    """Whether nothing can pass, which is another matter: all units dead, or weights that are zero (a head's start)."""
    return link.dead == 1.0 or any(term.rms == 0 for term in link.terms)


def reference(link: Link) -> float:
    """The gain that a link should have: its ideal, but 1 where its activation alone is to blame for less or more."""
    ideal = finite(link.ideal_gain)
    if ideal is None or ideal <= 0 or (link.activation is not None and link.terms):
        return 1.0
    return ideal


def opening(history: History) -> Departure | None:
    """The departure of the earliest chain that shows one (a head of zeros passes nothing at the first step)."""
    known = (departure(look) for look in history.looks)
    return next((found for found in known if found is not None), None)


def explains(history: History) -> bool:
    """Whether the first weights already let the gradient vanish: what units and outputs do later follows from it."""
    first = opening(history)
    return first is not None and first.reaches(-FAR)


def latest(history: History) -> Departure | None:
    """The departure of the last look."""
    return departure(history.looks[-1]) if history.looks else None


def stretch(links: Sequence[Link], sign: float) -> Stretch:
    """The links in a row that gain (sign 1) or lose (sign -1) most together; weighted ones at its ends."""
    best, start, sums = (0.0, 0, len(links)), 0, 0.0
    for position, link in enumerate(links):
        if sums <= 0:
            start, sums = position, 0.0
        sums += sign * math.log10(known_gain(link) / reference(link))
        if sums > best[0]:
            best = (sums, start, position + 1)
    between = list(links[best[1] : best[2]])
    weighted = [position for position, link in enumerate(between) if has_weights(link)]
    if weighted:
        between = between[weighted[0] : weighted[-1] + 1]
    decades = math.fsum(math.log10(known_gain(link) / reference(link)) for link in between)
    return Stretch(links=tuple(between), decades=decades)


def by_activation(links: Sequence[Link], sign: float) -> float:
    """Decades that the activations would still gain (or lose) at their best initialisation."""
    ideals = [finite(link.ideal_gain) for link in links if link.activation is not None and link.terms]
    return math.fsum(sign * math.log10(ideal) for ideal in ideals if ideal is not None and ideal > 0)


def by_initialisation(links: Sequence[Link], sign: float) -> float:
    """Decades between what theory expects of the actual weights and the ideal."""
    pairs = [(finite(link.expected_gain), finite(link.ideal_gain)) for link in links]
    known = [(max(expected, SMALLEST), ideal) for expected, ideal in pairs if expected is not None and ideal]
    return math.fsum(sign * math.log10(expected / ideal) for expected, ideal in known)


def against_theory(links: Sequence[Link], sign: float) -> float:
    """Decades by which links depart from what weights of their size are expected to do, beyond any chance."""
    pairs = [(known_gain(link), finite(link.expected_gain)) for link in links if link.gain is not None]
    beyond = [sign * math.log10(gain / expected) for gain, expected in pairs if expected]
    return math.fsum(decades for decades in beyond if decades >= FAR)


def blame(worst: Stretch) -> Cause:
    """What theory says of links of the first weights: what would still be wrong with the best weights comes first."""
    sign = math.copysign(1.0, worst.decades)
    half = abs(worst.decades) / 2
    activation = by_activation(worst.links, sign)
    if activation >= FAR:
        return "activation"
    if max(by_initialisation(worst.links, sign), against_theory(worst.links, sign)) >= half:
        return "initialisation"
    return "activation" if activation >= half else "depth"
