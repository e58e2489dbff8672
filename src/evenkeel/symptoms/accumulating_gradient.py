"""Accumulating gradient: the gradients of earlier steps still lie there when the next backward pass adds to them.

    carried = |gradient before a step's first backward pass| / |gradient after it|      0 where it was cleared

Gathering several backward passes for one step is not it: those come after the first. The steps then follow the sum of
all gradients ever, which grows without bound while the loss does not know it.
"""

from __future__ import annotations

from statistics import median

from evenkeel.finding import Finding
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.harm import severity
from evenkeel.symptoms.history import History
from evenkeel.symptoms.stretch import finite

CARRIED = 0.1
"""Share that counts: cleared gradients give exactly 0, one left there about 1."""
LOOKS = 2
"""Looks after the first step at which it must be seen: one may follow a skipped step."""


def accumulating_gradient(history: History) -> tuple[Finding, ...]:
    """Read off the looks after step 1 whether gradients are never cleared; a warning at least, as the loop is wrong."""
    later = [look for look in history.looks if look.step > 1 and finite(look.carried) is not None]
    shares = [look.carried for look in later if look.carried is not None and look.carried > CARRIED]
    if len(shares) < LOOKS:
        return ()
    grade = severity(history)
    sentence = (
        f"At {len(shares)} of {len(later)} looks the gradient of earlier steps still lay there before the backward "
        f"pass ({100 * median(shares):.0f} % of what the step then used): zero_grad is not called."
    )
    evidence = {
        "looks": float(len(later)),
        "carrying": float(len(shares)),
        "carried": median(shares),
        "step": float(next(look.step for look in later if (look.carried or 0) > CARRIED)),
    }
    return (
        Finding(
            symptom="accumulating-gradient",
            where="training loop",
            severity="warning" if grade == "note" else grade,
            sentence=sentence,
            evidence=evidence,
            cause="training-loop",
        ),
    )


ACCUMULATING_GRADIENT = SymptomPart(
    name="accumulating-gradient",
    summary="the gradients of earlier steps are never cleared",
    source="torch.optim.Optimizer.zero_grad",
    symptom="accumulating-gradient",
    reads="facts",
    call=accumulating_gradient,
    causes=("training-loop",),
)
