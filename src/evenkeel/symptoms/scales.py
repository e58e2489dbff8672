"""What made steps too large for a sound chain: a raw target, raw inputs, or else the learning rate."""

from __future__ import annotations

from evenkeel.finding import Cause
from evenkeel.symptoms.history import History
from evenkeel.symptoms.stretch import finite

RAW = 10.0
"""Size from which a target or an input is raw: a decade above the 1 that initialisation and learning rates assume."""


def target_size(history: History) -> float:
    """The largest of mean and spread of a target of real numbers; 0 where unknown."""
    start = history.start
    if start is None:
        return 0.0
    return max((abs(size) for size in (finite(start.target_mean), finite(start.target_spread)) if size), default=0.0)


def input_size(history: History) -> float:
    """The rms of the largest input feature; 0 where unknown."""
    scales = history.start.input_scales if history.start is not None else ()
    return max((scale for scale in map(finite, scales) if scale is not None), default=0.0)


def off_center(history: History) -> float:
    """How many of its own standard deviations the worst input feature lies off zero; 0 where unknown."""
    start = history.start
    if start is None:
        return 0.0
    pairs = zip(start.input_scales, start.input_spreads, strict=False)
    known = [(finite(scale), finite(spread)) for scale, spread in pairs]
    return max((scale / spread for scale, spread in known if scale is not None and spread), default=0.0)


def largest_step(history: History) -> float | None:
    """The largest change of a parameter in one step seen, as a share of its size (rms over rms)."""
    pairs = [(finite(each.update_rms), finite(each.weight_rms)) for look in history.looks for each in look.parameters]
    return max((update / weight for update, weight in pairs if update is not None and weight), default=None)


def step_cause(history: History) -> Cause:
    """Why steps did harm that the first weights had not in them."""
    if target_size(history) > RAW:
        return "target-scale"
    return "data-scale" if input_size(history) > RAW else "learning-rate"
