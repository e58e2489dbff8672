"""Frozen parameters: weights that are meant to learn and never move.

    outside      no optimizer holds them, though they take a gradient
    detached     the optimizer holds them, but no gradient ever comes
    not asked    requires_grad is off
    too small    gradient and rate are there, and not one entry changes: the update is lost in rounding, or skipped

Freezing is often meant: it is named as a fault where it is most of the weights and harm is done, or where the loop
contradicts itself, as in the first two. Layers left in evaluation mode are told as a note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from evenkeel.finding import Cause, Finding, Severity
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.harm import harmed, lag_severity, severity
from evenkeel.symptoms.history import History, Observation, ParameterLook

MOST = 0.5
"""Share of all weights from which standing still is no detail."""
LOOKS = 2
"""Looks that must agree before a parameter is said never to move."""
LATE = 3
"""Looks that must agree where it was otherwise before."""
RESOLUTION = 2.0**-25
"""Half the spacing of float32 relative to the number: smaller updates are lost whatever the loop does."""
ORDER: tuple[Severity, ...] = ("note", "warning", "critical")


@dataclass(frozen=True, kw_only=True)
class _Still:
    """Parameters that stand still for one reason."""

    names: tuple[str, ...]
    share: float
    reason: str
    cause: Cause
    grade: Severity
    since: Observation | None = None


def frozen_parameters(history: History) -> tuple[Finding, ...]:
    """Read off the looks which parameters never move, and why; the gravest reason is named."""
    looks = [look for look in history.looks if look.parameters]
    if not looks:
        return _evaluating(history)
    readings = (_outside, _detached, _not_asked, _too_small)
    stills = [still for read in readings for still in [read(history, looks)] if still is not None]
    worst = max(stills, key=lambda still: (ORDER.index(still.grade), still.share), default=None)
    standing = () if worst is None else (_finding(worst, worst.since or looks[0]),)
    return standing + _evaluating(history)


def _outside(history: History, looks: Sequence[Observation]) -> _Still | None:
    """Trainable, and held by no optimizer. A gradient that nobody uses is an oversight; else perhaps a teacher."""
    names = tuple(each.name for each in looks[0].parameters if each.name in history.outside)
    if not names:
        return None
    share = _share(names, looks[0].parameters)
    wasted = any(each.gradient_rms is not None for look in looks for each in look.parameters if each.name in names)
    grade = _at_least("warning", history) if wasted and share >= MOST else _grade_of(history, share)
    return _Still(names=names, share=share, reason="no optimizer holds them", cause="optimizer", grade=grade)


def _detached(history: History, looks: Sequence[Observation]) -> _Still | None:
    """Held, and never given a gradient: cut off if it is the network's lower part or most of it, else merely unused."""
    excluded = {name for look in looks if look.chain is not None for name in look.chain.frozen}

    def cut(look: Observation, each: ParameterLook) -> bool:
        return each.gradient_rms is None and each.update_rms is not None and each.name not in excluded

    since, names = _since(looks, cut)
    if not names:
        return None
    share = _share(names, looks[0].parameters)
    order = [each.name for each in looks[0].parameters]
    lower = order[0] in names and set(order[: len(names)]) == set(names)
    grade: Severity = _at_least("warning", history) if lower or share >= MOST else "note"
    reason = "no gradient ever reaches them, so the loss is detached from them"
    if since is not looks[0]:
        reason = f"since step {since.step} or a little before no gradient reaches them any more"
    return _Still(names=names, share=share, reason=reason, cause="training-loop", grade=grade, since=since)


def _not_asked(history: History, looks: Sequence[Observation]) -> _Still | None:
    """requires_grad is off: told where it is most of the network, or harm is done."""
    off = {name for look in looks if look.chain is not None for name in look.chain.frozen}
    names = tuple(each.name for each in looks[0].parameters if each.name in off)
    share = _share(names, looks[0].parameters) if names else 0.0
    if not names or (share < MOST and not harmed(history)):
        return None
    grade = _grade_of(history, share)
    if share >= MOST and lag_severity(history) != "note":  # a head that is trained alone may fall steadily, and low
        grade = _at_least("warning", history)
    return _Still(names=names, share=share, reason="their requires_grad is off", cause="optimizer", grade=grade)


def _too_small(history: History, looks: Sequence[Observation]) -> _Still | None:
    """Gradient and rate, but no movement at any look."""
    moving = [look for look in looks if look.rate > 0]
    names = _always(moving, lambda look, each: bool(each.gradient_rms) and each.moved == 0)
    if not names:
        return None
    share = _share(names, moving[0].parameters)
    if share < MOST:  # a few small parameters of a coarse type; what is lost in the whole is read off their steps
        return None
    intended = [_asked_step(history, look, each) for look in moving for each in look.parameters if each.name in names]
    lost = max(intended, default=0.0) < RESOLUTION
    reason = "the updates are lost in rounding, as the learning rate is tiny"
    if not lost:
        reason = "their steps are skipped" if history.skipped else "the updates are lost in rounding"
    cause: Cause = "learning-rate" if lost else "numerics"
    return _Still(names=names, share=share, reason=reason, cause=cause, grade=_grade_of(history, share))


def _asked_step(history: History, look: Observation, each: ParameterLook) -> float:
    """The size of the step that the optimizer is asked for, as a share of the weights."""
    size = 1.0 if history.optimizer == "adaptive" else each.gradient_rms or 0.0
    return look.rate * size / each.weight_rms if each.weight_rms else 1.0


def _always(looks: Sequence[Observation], holds: Callable[[Observation, ParameterLook], bool]) -> tuple[str, ...]:
    """Names of parameters for which something holds at every look."""
    if len(looks) < LOOKS:
        return ()
    sets = [{each.name for each in look.parameters if holds(look, each)} for look in looks]
    return tuple(each.name for each in looks[0].parameters if all(each.name in names for names in sets))


def _since(
    looks: Sequence[Observation], holds: Callable[[Observation, ParameterLook], bool]
) -> tuple[Observation, tuple[str, ...]]:
    """Names of parameters for which something holds at every look, or else at each of the last ones, and since when."""
    names = _always(looks, holds)
    if names or len(looks) <= LATE:
        return looks[0], names
    names = _always(looks[-LATE:], holds)
    start = len(looks) - LATE
    while start > 0 and set(names) <= {
        each.name for each in looks[start - 1].parameters if holds(looks[start - 1], each)
    }:
        start -= 1
    return looks[start], names


def _share(names: Iterable[str], parameters: Sequence[ParameterLook]) -> float:
    """The part of all weights that these are."""
    chosen = set(names)
    total = sum(each.size for each in parameters)
    return sum(each.size for each in parameters if each.name in chosen) / total if total else 0.0


def _grade_of(history: History, share: float) -> Severity:
    """By harm where it is most of the weights; a note otherwise."""
    return severity(history) if share >= MOST else "note"


def _at_least(least: Severity, history: History) -> Severity:
    found = severity(history)
    return least if ORDER.index(found) < ORDER.index(least) else found


def _finding(still: _Still, look: Observation) -> Finding:
    first, last = still.names[0], still.names[-1]
    where = first if first == last else f"{first} to {last}"
    sentence = f"{_percent(still.share)} of all weights stand still (`{first}`"
    sentence += ")" if first == last else f" and {len(still.names) - 1} more parameters)"
    return Finding(
        symptom="frozen-parameters",
        where=where,
        severity=still.grade,
        sentence=f"{sentence}: {still.reason}.",
        evidence={"share": still.share, "parameters": float(len(still.names)), "step": float(look.step)},
        cause=still.cause,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "Less than 1 %"


def _evaluating(history: History) -> tuple[Finding, ...]:
    """Dropout or batch norm in evaluation mode at every look of a training loop."""
    names = list(history.looks[0].evaluating) if history.looks else []
    names = [name for name in names if all(name in look.evaluating for look in history.looks)]
    if not names:
        return ()
    rest = f" and {len(names) - 1} more" if len(names) > 1 else ""
    verb = "were" if rest else "was"
    sentence = (
        f"At all {len(history.looks)} looks `{names[0]}`{rest} {verb} in evaluation mode: "
        "dropout is off, batch norm keeps its old averages."
    )
    return (
        Finding(
            symptom="frozen-parameters",
            where=names[0],
            severity="note",
            sentence=sentence,
            evidence={"layers": float(len(names)), "step": float(history.looks[0].step)},
            cause="training-loop",
        ),
    )


FROZEN_PARAMETERS = SymptomPart(
    name="frozen-parameters",
    summary="weights that are meant to learn and never move",
    source="torch.nn.Module.requires_grad_",
    symptom="frozen-parameters",
    reads="facts",
    call=frozen_parameters,
    causes=("optimizer", "training-loop", "numerics", "learning-rate"),
)
