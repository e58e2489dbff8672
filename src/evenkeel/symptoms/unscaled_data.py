"""Unscaled data: inputs or a target that are not of order one.

Initialisations and learning rates are made for inputs with mean 0 and variance 1. The curvature along a feature goes
with its square, so that features two decades apart need steps four decades apart; a mean far above the spread makes all
examples look alike (their cosine is mean²/(mean² + spread²)). Source: LeCun et al. 1998.
"""

from __future__ import annotations

import math
from statistics import median_low

from evenkeel.finding import Cause, Finding
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.harm import severity
from evenkeel.symptoms.history import History, Start

LARGE, SMALL = 10.0, 0.01
"""Root mean squares beyond which numbers are not of order one."""
APART = 100.0
"""Two decades between the largest feature and the median one."""
OFFSET = 10.0
"""Mean over spread beyond which the cosine between two examples is above 0.99."""


def unscaled_data(history: History) -> tuple[Finding, ...]:
    """What is furthest from order one: the features' sizes, their offsets, or the target."""
    if history.start is None:
        return ()
    departures = [*([] if _normalised(history) else _inputs(history.start)), *_target(history.start)]
    if not departures:
        return ()
    _, where, cause, sentence, evidence = max(departures, key=lambda each: each[0])
    finding = Finding(
        symptom="unscaled-data",
        where=where,
        severity=severity(history),
        sentence=sentence,
        evidence=evidence,
        cause=cause,
    )
    return (finding,)


_Departure = tuple[float, str, Cause, str, dict[str, float]]
"""Decades beyond its bound, where, the cause, the sentence, the numbers."""


def _normalised(history: History) -> bool:
    """Whether the network scales its inputs itself: the chain begins with a norm."""
    return history.first is not None and bool(history.first.links) and history.first.links[0].kind == "norm"


def _inputs(start: Start) -> list[_Departure]:
    pairs = zip(start.input_scales, start.input_spreads or start.input_scales, strict=False)
    moving = [(scale, spread) for scale, spread in pairs if 0 < scale < math.inf and 0 < spread < math.inf]
    if not moving:
        return []
    scales = [scale for scale, _ in moving]
    size, spread = _rms(scales), _rms([spread for _, spread in moving])
    offset = math.sqrt(max(0.0, (size / spread) * (size / spread) - 1))
    apart = max(scales) / median_low(scales)
    departures = [_beyond(size, "inputs", "data-scale")]
    if apart > APART:
        words = f"The largest input feature has an rms of {max(scales):.3g}, {apart:.3g} times that of the median one."
        departures.append(
            (math.log10(apart / APART), "inputs", "data-scale", words, {"apart": apart, "largest": max(scales)})
        )
    if offset > OFFSET:
        words = f"The mean of the inputs is {offset:.3g} times their spread ({spread:.3g}): all examples look alike."
        departures.append(
            (math.log10(offset / OFFSET), "inputs", "data-scale", words, {"offset": offset, "spread": spread})
        )
    return [each for each in departures if each is not None]


def _target(start: Start) -> list[_Departure]:
    mean, spread = start.target_mean, start.target_spread
    if mean is None or spread is None or not (math.isfinite(mean) and 0 < spread < math.inf):
        return []
    departures = [_beyond(math.hypot(mean, spread), "target", "target-scale")]
    offset = abs(mean) / spread
    if offset > OFFSET:
        words = f"The mean of the target, {mean:.3g}, is {offset:.3g} times its spread."
        departures.append(
            (math.log10(offset / OFFSET), "target", "target-scale", words, {"offset": offset, "spread": spread})
        )
    return [each for each in departures if each is not None]


def _beyond(size: float, where: str, cause: Cause) -> _Departure | None:
    """What is too large or too small altogether."""
    if SMALL <= size <= LARGE:
        return None
    decades = math.log10(size / LARGE) if size > LARGE else math.log10(SMALL / size)
    words = f"The {where} {'have' if where == 'inputs' else 'has'} an rms of {size:.3g}, far from order one."
    return decades, where, cause, words, {"rms": size}


def _rms(values: list[float]) -> float:
    return math.hypot(*values) / math.sqrt(len(values))


UNSCALED_DATA = SymptomPart(
    name="unscaled-data",
    summary="inputs or a target that are not of order one",
    source="LeCun et al. 1998, Efficient BackProp",
    symptom="unscaled-data",
    reads="output",
    call=unscaled_data,
    causes=("data-scale", "target-scale"),
)
