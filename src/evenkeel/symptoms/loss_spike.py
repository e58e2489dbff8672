"""Loss spike: one step's loss far above all that the steps before it would lead one to expect.

    loss > mean + 6 sigma   and   loss > 2 · level     of the up to 128 steps before it

Adam takes too long a step when its moving mean of squares under-estimates the gradients that come: rms of g²/v above 1
leads by a few steps. A spike that is made good again is worth a note. Source: Wortsman et al. 2023, arXiv:2304.13013.
"""

from __future__ import annotations

import math
from statistics import fmean, median
from typing import NamedTuple

import numpy as np

from evenkeel.finding import Cause, Finding, Severity
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.harm import FEWEST_STEPS, severity
from evenkeel.symptoms.history import History, LossPoint
from evenkeel.symptoms.scatter import scatter

WINDOW = 128
"""Steps whose scatter is the measure."""
SIGMAS, LEVELS = 6.0, 2.0
"""Six standard deviations do not happen by chance in a run's length, unless the scatter has a heavy tail; so it must be
twice the level too."""
LEAST_UNDONE = 0.1
"""A spike that undoes less than this share of what was learned before is the batch's own scatter."""
RECENT = 1024
"""Steps looked at: a spike further back no longer tells how the run stands."""
HUGE = 1e150
"""Losses beyond this, whose squares overflow, and those that are not finite are another symptom's."""
FEW_EXAMPLES = 4
"""Up to so many in a batch, a single odd example makes a spike."""
LEAST_AFTER = 3
"""Steps after which it can be said whether the loss came back."""


class _Spike(NamedTuple):
    """One spike: its place among the losses, its step and loss, and the level and scatter before it."""

    place: int
    step: int
    loss: float
    level: float
    scatter: float


def loss_spike(history: History) -> tuple[Finding, ...]:
    """The highest spike, and whether the loss came back."""
    points = [point for point in history.losses if abs(point.loss) < HUGE][-RECENT:]
    spikes = _spikes(points)
    if not spikes:
        return ()
    worst = max(spikes, key=lambda spike: spike.loss - spike.level)
    back = _steps_until_back(points, worst)
    surprise = _surprise(history, worst.step)
    evidence = {"step": float(worst.step), "loss": worst.loss, "level": worst.level, "spikes": float(len(spikes))}
    finding = Finding(
        symptom="loss-spike",
        where=f"step {worst.step}",
        severity=_severity(history, points, spikes, back),
        sentence=_sentence(points, worst, back),
        evidence=evidence | ({} if surprise is None else {"surprise": surprise}),
        cause=_cause(history, surprise),
    )
    return (finding,)


def _spikes(points: list[LossPoint]) -> list[_Spike]:
    if not points:
        return []
    first = fmean(point.loss for point in points[:LEAST_AFTER])
    levels = _levels([point.loss for point in points])
    spikes = []
    for index in range(FEWEST_STEPS, len(points)):
        point = points[index]
        level = levels[index]
        height = point.loss - level
        if height <= (LEVELS - 1) * abs(level) or height < LEAST_UNDONE * (first - level):
            continue
        before = [earlier.loss for earlier in points[max(0, index - WINDOW) : index]]
        spread = scatter(before, level)
        if height > SIGMAS * spread and not _climbing(before):
            spikes.append(_Spike(index, point.step, point.loss, level, spread))
    return spikes


def _levels(losses: list[float]) -> list[float]:
    """The mean of the losses before each one, of at most a window of them (nan before the first)."""
    levels = [math.nan, *(fmean(losses[:index]) for index in range(1, min(len(losses), WINDOW)))]
    if len(losses) > WINDOW:
        levels += np.lib.stride_tricks.sliding_window_view(np.array(losses[:-1]), WINDOW).mean(axis=1).tolist()
    return levels[: len(losses)]


def _climbing(before: list[float]) -> bool:
    """Whether the last losses were already at twice the usual: the loss runs away, and each step is its highest."""
    usual = median(before)
    return fmean(before[-LEAST_AFTER:]) - usual > (LEVELS - 1) * abs(usual)


def _steps_until_back(points: list[LossPoint], spike: _Spike) -> int | None:
    """Steps from the spike to the first loss that is again within two standard deviations of the level before."""
    bound = spike.level + max(2 * spike.scatter, 0.01 * abs(spike.level))
    return next((point.step - spike.step for point in points[spike.place + 1 :] if point.loss <= bound), None)


def _severity(history: History, points: list[LossPoint], spikes: list[_Spike], back: int | None) -> Severity:
    """By harm where spikes come again or the loss stays up; a note for one that passed, or has only just come."""
    after = len(points) - 1 - spikes[-1].place
    lasting = back is None and (after >= LEAST_AFTER or history.ended)
    return severity(history) if lasting or len(spikes) > 1 else "note"


def _sentence(points: list[LossPoint], worst: _Spike, back: int | None) -> str:
    times = f", {worst.loss / worst.level:.3g} times the level" if worst.level > 0 else f" from {worst.level:.3g}, that"
    before = min(worst.place, WINDOW)
    jumped = f"At step {worst.step} the loss jumped to {worst.loss:.3g}{times} of the {before} steps before"
    after = points[-1].step - worst.step
    if back is not None:
        return f"{jumped}; it was back after {back} {'step' if back == 1 else 'steps'}."
    return f"{jumped}; it was not back {after} {'step' if after == 1 else 'steps'} later."


def _surprise(history: History, step: int) -> float | None:
    """Rms of g²/v at the last look up to the spike, of the parameter where it is largest."""
    looks = [look for look in history.looks if look.step <= step]
    known = [each.surprise for each in looks[-1].parameters if each.surprise is not None] if looks else []
    known = [value for value in known if not math.isnan(value)]
    return max(known, default=None)


def _cause(history: History, surprise: float | None) -> Cause:
    small = bool(history.sizes) and median(history.sizes) <= FEW_EXAMPLES
    return "batch-size" if small and (surprise is None or surprise <= 1) else "learning-rate"


LOSS_SPIKE = SymptomPart(
    name="loss-spike",
    summary="a loss far above what the steps before it lead one to expect",
    source="Wortsman et al. 2023",
    symptom="loss-spike",
    reads="course",
    call=loss_spike,
    causes=("learning-rate", "batch-size"),
)
