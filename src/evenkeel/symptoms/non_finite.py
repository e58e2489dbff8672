"""Non-finite: a value became infinite or not a number. The operation that made the first is named.

Exp overflows beyond 88 in float32; log, division and roots are undefined or infinitely steep at 0: numerics, where they
make the loss. Where the loss had grown by decades before, the weights had, and the operation only shows it.
A gradient scaler leaves some steps out on purpose while it looks for its scale; leaving out most, it finds none.
Source: IEEE 754; Micikevicius et al. 2018 (loss scaling), arXiv:1710.03740.
"""

from __future__ import annotations

import math

from evenkeel.finding import Cause, Finding, Severity
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.harm import FEWEST_STEPS
from evenkeel.symptoms.history import History, NonFinite
from evenkeel.symptoms.scales import RAW, input_size, step_cause

UNDEFINED_SOMEWHERE = frozenset([
    "exp", "expm1", "log", "log1p", "log2", "log10", "div", "true_divide", "reciprocal", "sqrt", "rsqrt", "pow",
    "norm", "linalg_vector_norm", "acos", "asin", "atanh", "logit", "xlogy",
    "nll_loss", "binary_cross_entropy", "softmax", "log_softmax", "logsumexp",
])  # fmt: skip
"""Operations that overflow or are infinite for inputs that are themselves of ordinary size."""
GROWN = 10.0
"""A loss this many times its first one has diverged, it did not merely scatter."""


def non_finite(history: History) -> tuple[Finding, ...]:
    """The first value that was not finite, what made it, and how many steps it cost."""
    bad = [point.step for point in history.losses if not math.isfinite(point.loss)]
    lost = max(len(bad), history.non_finite_steps - history.skipped)
    if history.skipped > 0 and 2 * len(bad) <= len(history.losses):
        return (_skipping(history),)
    if lost <= 0 and history.non_finite is None:
        return ()
    steps = max(history.steps, len(history.losses), lost)
    first = history.non_finite.step if history.non_finite else (bad[0] if bad else steps)
    lost = max(lost, 1)
    finding = Finding(
        symptom="non-finite",
        where=(history.non_finite.where if history.non_finite else "") or "training",
        severity=_severity(history, lost, steps),
        sentence=_sentence(history.non_finite, first, lost, steps),
        evidence={"non_finite_steps": float(lost), "steps": float(steps), "first_step": float(first)},
        cause=_cause(history, first),
    )
    return (finding,)


def _skipping(history: History) -> Finding:
    """What a gradient scaler left out: most steps, or the few that it needs to find its scale."""
    steps = max(history.steps, history.skipped)
    stuck = steps >= FEWEST_STEPS and 2 * history.skipped > steps
    counted = f"A gradient scaler skipped {history.skipped} of {steps} steps"
    return Finding(
        symptom="non-finite",
        where="gradient scaler",
        severity="critical" if stuck else "note",
        sentence=f"{counted}: its loss scale never comes down."
        if stuck
        else f"{counted} while it looked for its scale.",
        evidence={"skipped": float(history.skipped), "steps": float(steps)},
        cause="numerics",
    )


def steps_left_out(skipped: int, steps: int, first: int) -> Finding:
    """Steps of a loop that never lets a gradient that is not finite reach the weights; `first`: seen up to there."""
    return Finding(
        symptom="non-finite",
        where=f"up to update {first}",
        severity="warning" if 2 * skipped < steps else "critical",
        sentence=f"{skipped} of {steps} steps had a gradient that was not finite; they were left out.",
        evidence={"skipped": float(skipped), "updates": float(steps), "first_seen": float(first)},
    )


def _severity(history: History, lost: int, steps: int) -> Severity:
    """Critical where it took most steps or the run ended in it."""
    ended = any(not math.isfinite(point.loss) for point in history.losses[-3:])
    return "critical" if ended or 2 * lost > steps else "warning"


def _sentence(origin: NonFinite | None, first: int, lost: int, steps: int) -> str:
    count = f"{lost} of {steps} steps {'is' if lost == 1 else 'are'} lost"
    if origin is None:
        return f"The loss is not finite from step {first} on: {count}."
    if origin.direction == "data":
        return f"The batch of step {first} holds values that are not finite, in `{origin.where}`: {count}."
    if origin.direction == "weights":
        return f"The weights `{origin.where}` are not finite at step {first}: {count}."
    maker = f"`{origin.operation}` in `{origin.where or 'loss'}`"
    maker = maker if origin.direction == "forward" else f"The backward pass of {maker}"
    return f"{maker} made the first value that is not finite, at step {first}: {count}."


def _cause(history: History, first: int) -> Cause | None:
    """The likeliest cause by what made the value, and by whether the loss had grown before."""
    origin = history.non_finite
    if origin is not None and origin.direction == "data":
        return "data-scale"
    operation = "" if origin is None else _plain(origin.operation)
    if origin is not None and operation in ("exp", "expm1") and not _in_loss(origin):
        return "activation"
    if _grown(history, first) or (origin is not None and origin.direction == "weights"):
        return step_cause(history)
    if operation in UNDEFINED_SOMEWHERE:
        return "numerics"
    if first <= 1:
        return "data-scale" if input_size(history) > RAW else "initialisation"
    return step_cause(history)


def _plain(operation: str) -> str:
    """An operator's name without the forms that torch gives it: `_log_softmax`, `LogBackward0`, `nll_loss_forward`."""
    return operation.lower().split("backward")[0].removesuffix("_forward").strip("_")


def _in_loss(origin: NonFinite) -> bool:
    return origin.where in ("", "output") or origin.where.startswith("loss")


def _grown(history: History, first: int) -> bool:
    """Whether the loss had grown by more than a decade before the first value that was not finite."""
    before = [abs(point.loss) for point in history.losses if point.step < first and math.isfinite(point.loss)]
    return len(before) > 1 and max(before[-3:]) > GROWN * max(before[0], 1e-30)


NON_FINITE = SymptomPart(
    name="non-finite",
    summary="infinite values or NaN, with the operation that made the first",
    source="IEEE 754; Micikevicius et al. 2018",
    symptom="non-finite",
    reads="facts",
    call=non_finite,
    causes=("numerics", "learning-rate", "target-scale", "data-scale", "activation", "initialisation"),
)
