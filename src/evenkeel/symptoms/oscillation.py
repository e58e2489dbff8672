"""Oscillation: the loss jumps up and down around a level instead of falling.

A step longer than 2/curvature overshoots the valley: the next step comes back, and the losses of successive steps are
negatively correlated. Longer still, and they are thrown about by more than was ever learned. Batch norm over n examples
takes its variance from n - 1 free numbers: with 2 to 4 examples the noise of that is as large as the signal.
Sources: LeCun et al. 1998 (largest step 2/lambda); Wu and He 2018 (batch norm by batch size), arXiv:1803.08494.
"""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean, linear_regression, median
from typing import NamedTuple

from evenkeel.chain import Chain
from evenkeel.finding import Cause, Finding
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.harm import FEWEST_STEPS, harmed, severity
from evenkeel.symptoms.history import History

NEGATIVE = -0.3
"""Correlation of successive losses beyond which one is the answer to the other; 0 for independent batches."""
SIGMAS = 3.0
"""Standard deviations of a correlation that is 0 (1/sqrt(n) each) that it must be beyond as well."""
LEAST_SWING = 0.1
"""Scatter below this share of what could be learned is no oscillation."""
LEAST_CROSSINGS = 0.2
"""Crossings of the trend a step: half for independent losses, hardly any for a loss that runs away."""
BATCH_SCATTER = 2.0
"""Scatter of the loss must be so many times what a batch's own examples give it: sqrt(2/n) of the level, as for squares
of normal errors."""
FEW_EXAMPLES = 4
"""Up to so many examples, batch norm's variance has a relative error of sqrt(2/3) or more."""


class _Scatter(NamedTuple):
    """Root mean square about the trend, correlation of successive steps about it, and how often they cross it."""

    size: float
    correlation: float
    crossings: int


def oscillation(history: History) -> tuple[Finding, ...]:
    """Whether the losses of the second half jump up and down, and what drives them."""
    losses = [point.loss for point in history.losses if math.isfinite(point.loss)]
    if len(losses) < 2 * FEWEST_STEPS:
        return ()
    tail = losses[len(losses) // 2 :]
    scatter, correlation, crossings = _scatter(tail)
    if not math.isfinite(scatter):
        return ()
    level, learned = fmean(tail), fmean(losses[:3]) - fmean(tail)
    swings = scatter > LEAST_SWING * _scale(history, losses)
    zigzag = swings and correlation < min(NEGATIVE, -SIGMAS / math.sqrt(len(tail)))
    returns = swings and crossings >= LEAST_CROSSINGS * len(tail)
    thrown = returns and scatter > max(learned, _of_batches(history) * abs(level))
    noisy = harmed(history) and _few_normalised(history)
    if not (zigzag or thrown or noisy):
        return ()
    finding = Finding(
        symptom="oscillation",
        where="training",
        severity=severity(history),
        sentence=_sentence(history, noisy, level, scatter, correlation if zigzag else None),
        evidence={"level": level, "scatter": scatter, "learned": learned, "correlation": correlation},
        cause=_cause(history),
    )
    return (finding,)


def _scatter(tail: list[float]) -> _Scatter:
    """The losses about their straight trend; infinite where they overflow."""
    try:
        trend = linear_regression(range(len(tail)), tail)
        rest = [loss - trend.intercept - trend.slope * place for place, loss in enumerate(tail)]
        square = math.fsum(value * value for value in rest)
        together = math.fsum(left * right for left, right in pairwise(rest))
    except OverflowError:
        return _Scatter(math.inf, 0.0, 0)
    crossings = sum((left > 0) != (right > 0) for left, right in pairwise(rest))
    return _Scatter(math.sqrt(square / len(rest)), together / square if square > 0 else 0.0, crossings)


def _scale(history: History, losses: list[float]) -> float:
    """What there is to be learned; where nothing was measured, the size of the loss itself."""
    start = history.start
    if start is not None and start.constant_loss is not None and start.reachable_loss is not None:
        return abs(start.constant_loss - start.reachable_loss)
    return max(abs(fmean(losses[:3])), abs(losses[-1]))


def _examples(history: History) -> float | None:
    """Examples in a usual batch."""
    if history.sizes:
        return max(1.0, float(median(history.sizes)))
    return next((float(max(1, chain.batch)) for chain in reversed(history.chains) if chain.batch), None)


def _of_batches(history: History) -> float:
    """Scatter relative to the level beyond the batches' own; infinite while their size is unknown."""
    count = _examples(history)
    return math.inf if count is None else BATCH_SCATTER * math.sqrt(2 / count)


def _few_normalised(history: History) -> bool:
    """Whether batch norm over few examples stands in the chain; a convolution's positions count as examples."""
    count = _examples(history)
    return count is not None and count <= FEW_EXAMPLES and any(_batch_norm(chain) for chain in history.chains)


def _batch_norm(chain: Chain) -> bool:
    names = [link.norm or "" for _, link in chain.walk() if link.kind != "convolution"]
    return any("batch_norm" in name for name in names)


def _sentence(history: History, noisy: bool, level: float, scatter: float, correlation: float | None) -> str:
    scattered = f"The loss scatters by {scatter:.3g} around {level:.3g}"
    if noisy:
        return f"{scattered}: batch norm takes its mean and variance from {_examples(history):.3g} examples at a time."
    if correlation is not None:
        return f"{scattered}, up and down in turn: successive steps have a correlation of {correlation:.2f}."
    return f"{scattered}, more than it ever fell and more than batches of {_examples(history):.3g} examples explain."


def _cause(history: History) -> Cause:
    return "batch-size" if _few_normalised(history) else "learning-rate"


OSCILLATION = SymptomPart(
    name="oscillation",
    summary="a loss that jumps up and down around a level",
    source="LeCun et al. 1998; Wu and He 2018",
    symptom="oscillation",
    reads="course",
    call=oscillation,
    causes=("learning-rate", "batch-size"),
)
