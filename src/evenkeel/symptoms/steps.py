"""Reasons in the steps themselves: not taken, lost in rounding, too short or too long.

    size of a step   rms of the update / rms of the weights, over all parameters
    kept             where it is more than half a unit in the weight's last place: 2^-9 of it in bfloat16

Each reason is a function of a history that is only asked where learning is harmed.
"""

from __future__ import annotations

import math
from statistics import fmean, median
from typing import NamedTuple

from evenkeel.finding import Cause
from evenkeel.symptoms.history import History, Observation
from evenkeel.symptoms.scatter import scatter

STOPPED = 1e-3
"""Share of the largest rate seen below which a rate is as good as 0."""
SHORT, SHORT_IN_ALL = 1e-5, 0.1
"""Steps smaller than this share of the weights, or that could not change them by a tenth if all went the same way."""
LONG, LEAP = 0.1, 0.3
"""Share of the weights that a usual step, or any one, changes when what was learned before is overwritten."""
MODEST = 0.01
"""Share of the weights that a step may change and still leave a decade to lengthen it by."""
SIGMAS = 3.0
"""Standard errors by which the loss must have fallen to be falling."""
COARSEST = 2.0**-8
"""Relative step that every usual number format keeps; bfloat16 loses below 2^-9."""
MOVED = 0.5
"""Share of the entries that a step must change, where all have a gradient."""


class Reason(NamedTuple):
    """A likely cause and a clause that says why."""

    cause: Cause
    because: str


def skipped(history: History) -> Reason | None:
    """At least half of the steps that a gradient scaler skipped."""
    if 2 * history.skipped <= history.steps:
        return None
    return Reason("numerics", f"a gradient scaler skipped {history.skipped} of {history.steps} steps")


def stopped(history: History) -> Reason | None:
    """A rate that is 0, and was so for at least half of the run."""
    rates = [look.rate for look in history.looks]
    if not rates or not all(map(math.isfinite, rates)):
        return None
    bound = STOPPED * max(rates)
    still = [look.step for look in history.looks if look.rate <= bound]
    if rates[-1] > bound or 2 * still[0] > history.steps + 1:
        return None
    return Reason("learning-rate", f"the learning rate is {rates[-1]:.3g} from step {still[0]} on")


def lost(history: History) -> Reason | None:
    """Steps that come with a gradient and a rate, yet leave most weights as they were: the number format eats them."""
    moved = [share for look in history.looks if (share := _moved(look)) is not None]
    steps = [share for look in history.looks if (share := _intended(history, look)) is not None]
    if not moved or not steps or median(moved) >= MOVED or not SHORT < median(steps) < COARSEST:
        return None
    return Reason(
        "numerics",
        f"a step of {median(steps):.2g} of the weights' size changes only {median(moved):.0%} of them, "
        "the rest lose it in rounding",
    )


def _moved(look: Observation) -> float | None:
    """The median over parameters with a gradient of the share that moved: sparse gradients leave only some behind."""
    known = [each.moved for each in look.parameters if each.moved is not None and (each.gradient_rms or 0) > 0]
    return median(known) if known else None


def _intended(history: History, look: Observation) -> float | None:
    """What a step means to change, as a share of the weights: an adaptive one goes by its rate alone."""
    known = [each for each in look.parameters if each.update_rms is not None and (each.gradient_rms or 0) > 0]
    weights = math.hypot(*(each.weight_rms * math.sqrt(each.size) for each in known))
    if history.optimizer == "adaptive":
        steps = math.hypot(*(look.rate * math.sqrt(each.size) for each in known))
    else:
        steps = math.hypot(*(look.rate * (each.gradient_rms or 0) * math.sqrt(each.size) for each in known))
    return steps / weights if 0 < weights < math.inf and math.isfinite(steps) else None


def step_size(history: History) -> float | None:
    """The usual size of a step as a share of the weights: the median over the looks."""
    known = [share for look in history.looks if (share := _changed(history, look)) is not None]
    return median(known) if known else None


def restless(history: History) -> Reason | None:
    """Steps on the long side, where nothing else is left to blame: the last resort."""
    known = [share for look in history.looks if (share := _changed(history, look)) is not None]
    if not known or max(known) <= LONG:
        return None
    return Reason("learning-rate", f"a single step changed the weights by {max(known):.2g} of their size")


def _changed(history: History, look: Observation) -> float | None:
    """What a step changed, as a share of the weights; those that start far too small count as their ideal."""
    ideals = _ideals(history)
    known = [each for each in look.parameters if each.update_rms is not None]
    sizes = [(max(each.weight_rms, ideals.get(each.name, 0.0)), each) for each in known]
    weights = math.hypot(*(size * math.sqrt(each.size) for size, each in sizes))
    steps = math.hypot(*((each.update_rms or 0) * math.sqrt(each.size) for each in known))
    return steps / weights if 0 < weights < math.inf and math.isfinite(steps) else None


def _ideals(history: History) -> dict[str, float]:
    """What the weights' rms would be at their best initialisation, by name."""
    links = [] if history.first is None else [link for _, link in history.first.walk()]
    return {term.name: term.ideal_rms for link in links for term in link.terms if term.ideal_rms is not None}


def short(history: History) -> Reason | None:
    """Too short a step by the rate alone: an adaptive optimizer's, whose steps do not shrink with the gradient."""
    if history.optimizer != "adaptive":
        return None
    steps = [share for look in history.looks if (share := _intended(history, look)) is not None]
    return _too_short(history, median(steps)) if steps else None


def short_descent(history: History) -> Reason | None:
    """Too short a step of plain descent, where no smaller gradient than usual explains it."""
    size = step_size(history)
    return None if history.optimizer == "adaptive" or not size else _too_short(history, size)


def _too_short(history: History, size: float) -> Reason | None:
    if size >= SHORT and size * history.steps >= SHORT_IN_ALL:
        return None
    return Reason("learning-rate", f"a step changes the weights by only {size:.2g} of their size")


def slow(history: History) -> Reason | None:
    """A loss that does fall, only too slowly, while steps are far from long: longer ones would get there in time."""
    size = step_size(history)
    losses = [point.loss for point in history.losses if math.isfinite(point.loss)]
    quarter = len(losses) // 4
    if not size or size > MODEST or quarter < 3:
        return None
    first, last = losses[:quarter], losses[-quarter:]
    if fmean(first) - fmean(last) <= SIGMAS * math.hypot(scatter(first), scatter(last)) / math.sqrt(quarter):
        return None
    return Reason("learning-rate", f"it does fall, but a step changes the weights by only {size:.2g} of their size")


def long(history: History) -> Reason | None:
    """Steps that overwrite what was learned before."""
    known = [share for look in history.looks if (share := _changed(history, look)) is not None]
    if not known or (median(known) <= LONG and max(known) <= LEAP):
        return None
    usual, most = median(known), max(known)
    clause = f"a step changes the weights by {usual:.2g} of their size" if usual > LONG else ""
    return Reason("learning-rate", clause or f"a single step changed the weights by {most:.2g} of their size")
