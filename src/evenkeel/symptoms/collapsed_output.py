"""Collapsed output: training has made the outputs of all inputs alike.

    similarity of the outputs above .99, their differences (1 - similarity) shrunk tenfold or more since the first step

With harm done, that is a network that fell back on one answer. Without it, it is worse: the loss is content with one
answer for all, as a pull between pairs is where nothing pushes others apart. Then harm cannot be seen in the loss.
Source: Hadsell 2006 (doi:10.1109/CVPR.2006.100).
"""

from __future__ import annotations

from dataclasses import dataclass

from evenkeel.chain import Chain, Link
from evenkeel.finding import Cause, Finding
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.blindness import blindness
from evenkeel.symptoms.harm import harmed, level, severity
from evenkeel.symptoms.history import History, Observation, Start
from evenkeel.symptoms.scales import RAW, input_size, largest_step, target_size
from evenkeel.symptoms.stretch import explains, finite

ALIKE = 0.99
"""Similarity of outputs above which they are one answer."""
SHRUNK = 10.0
"""How many times smaller their differences must have become: training did it, not the first weights."""
SOLVED = 0.01
"""Share of the first loss above its floor that counts as nothing; rare labels leave a constant output some per cent."""
WORSE = 1.5
"""How many times the first loss zeros must give before they are no answer at all, as for a direction."""
LARGE_STEP = 0.1
"""A step that changes a parameter by more than this share of its size is too large."""


@dataclass(frozen=True, kw_only=True)
class _Collapse:
    """The output at the first and at the last look."""

    before: Link
    after: Link
    first: Observation
    last: Observation

    @property
    def similarities(self) -> tuple[float, float]:
        """At the first and the last look."""
        return finite(self.before.similarity) or 0.0, min(1.0, finite(self.after.similarity) or 0.0)


def collapsed_output(history: History) -> tuple[Finding, ...]:
    """Compare the outputs of the first and the last look."""
    collapse = _collapse(history)
    if collapse is None:
        return ()
    content = _content(history, collapse)
    if not content and (not harmed(history) or _explained(history, collapse)):
        return ()
    cause = "loss-choice" if content else _cause(history)
    grade = severity(history)
    before, after = collapse.similarities
    losses = [point.loss for point in history.losses]
    return (
        Finding(
            symptom="collapsed-output",
            where=collapse.after.name,
            severity="warning" if content and grade == "note" else grade,
            sentence=_sentence(history, collapse, cause),
            evidence={
                "similarity": after,
                "first_similarity": before,
                "first_loss": losses[0],
                "loss": level(losses),
                "step": float(collapse.last.step),
            },
            cause=cause,
        ),
    )


def _collapse(history: History) -> _Collapse | None:
    """The shape: alike now, not at first. An output of one unit has nothing but its sign to compare."""
    looks = [(look, look.chain) for look in history.looks if look.chain is not None]
    if len(looks) < 2 or not history.losses:
        return None
    before, after = _output(looks[0][1]), _output(looks[-1][1])
    if before is None or after is None or _width(after) in (None, 1):
        return None
    collapse = _Collapse(before=before, after=after, first=looks[0][0], last=looks[-1][0])
    if finite(before.similarity) is None or finite(after.similarity) is None:
        return None
    first, last = collapse.similarities
    return collapse if last > ALIKE and 1 - first >= SHRUNK * (1 - last) else None


def _output(chain: Chain) -> Link | None:
    """The last link with weights, inside branches too: the loss may follow in the same chain."""
    weighted = [link for _, link in chain.walk() if link.terms]
    return weighted[-1] if weighted else None


def _width(link: Link) -> int | None:
    """Units of the output; where they are folded into other axes, the smaller side of its weights."""
    shape = link.terms[0].shape if link.terms else ()
    return link.width or min(shape, default=None)


def _content(history: History, collapse: _Collapse) -> bool:
    """Whether the loss fell and is content with one answer for all: with zeros, with the best constant, or as it is.

    A raw target of several values is no such thing: its mean lies far off zero, and outputs that reach it are rightly
    alike. Its zeros do about as badly as the first outputs; those of a pull between directions do worse.
    """
    first, now = history.losses[0].loss, level([point.loss for point in history.losses])
    start = history.start
    floor = finite(start.free_floor) if start is not None else None
    floor = min(0.0, now) if floor is None else floor
    room = finite(first - floor)
    if room is None or room <= 0 or finite(now) is None or now - floor > room / 2:
        return False
    little = floor + SOLVED * room
    zeros = finite(collapse.first.chain.known_loss if collapse.first.chain is not None else None)
    best = finite(start.constant_loss) if start is not None and not _off_zero(start) else None
    if any(constant is not None and constant <= min(little, now) for constant in (zeros, best)):
        return True
    return now <= little and zeros is not None and zeros - floor > WORSE * room


def _off_zero(start: Start) -> bool:
    """Whether a target's values lie further from zero than from each other."""
    mean, spread = finite(start.target_mean), finite(start.target_spread)
    return mean is not None and abs(mean) > (spread or 0.0)


def _explained(history: History, collapse: _Collapse) -> bool:
    """Whether the first weights already say why nothing but one answer can be learned."""
    blind = collapse.first.chain is not None and blindness(collapse.first.chain) is not None
    return blind or explains(history)


def _cause(history: History) -> Cause | None:
    if target_size(history) > RAW:
        return "target-scale"
    if input_size(history) > RAW:
        return "data-scale"
    return "learning-rate" if (largest_step(history) or 0.0) > LARGE_STEP else None


def _sentence(history: History, collapse: _Collapse, cause: Cause | None) -> str:
    before, after = collapse.similarities
    cosine = f"{after:.3f}" if after < 0.9995 else "above 0.999"
    opening = (
        f"The outputs of different inputs have become alike: mean cosine {cosine} at step {collapse.last.step}, "
        f"{before:.2f} at step {collapse.first.step}"
    )
    reasons: dict[Cause | None, str] = {
        "loss-choice": "; the loss is content with that, nothing in it holds them apart.",
        "target-scale": f"; the target is {target_size(history):.2g} in size, and reaching it leaves no room for more.",
        "data-scale": f"; an input is {input_size(history):.2g} in size, not near 1.",
        "learning-rate": f"; a step changed a parameter by {100 * (largest_step(history) or 0.0):.0f} % of its size.",
    }
    return opening + reasons.get(cause, ", and the loss is no better for it.")


COLLAPSED_OUTPUT = SymptomPart(
    name="collapsed-output",
    summary="training has made the outputs of all inputs alike",
    source="Hadsell 2006",
    symptom="collapsed-output",
    reads="chain",
    call=collapsed_output,
    causes=("loss-choice", "target-scale", "learning-rate", "data-scale"),
)
