"""Does the fault hurt, does the fix help: held-out scores of both twins after their training, over seeds."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch

from bench._specimens.loops import NO_CONTEXT
from bench._specimens.setup import Direction, SetUp


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One training: its held-out score, the trivial predictor's, and how long it took."""

    score: float
    trivial: float
    seconds: float


def train(setup: SetUp, seed: int) -> Outcome:
    """Build, train to the end, and score."""
    start = time.perf_counter()
    case = setup.build(seed)
    torch.manual_seed(seed)
    setup.loop(case, setup.steps, NO_CONTEXT)
    score = case.score()
    return Outcome(score=score, trivial=case.trivial, seconds=time.perf_counter() - start)


def gained(outcome: Outcome, direction: Direction) -> float:
    """How far the score is above the trivial predictor's; a score that is not finite is -infinity."""
    if not math.isfinite(outcome.score):
        return -math.inf
    return (outcome.score - outcome.trivial) * (1 if direction == "higher" else -1)


def lost_share(outcome: Outcome, best: Outcome, direction: Direction) -> float:
    """Which share of the best one's gain over the trivial predictor is lost; 1 and more: nothing was learned."""
    reference = gained(best, direction)
    return 1 - gained(outcome, direction) / reference if reference > 0 else math.nan
