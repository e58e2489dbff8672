"""Which steps are followed closely and which are merely counted: short steps cannot pay for more.

A step that is counted takes its losses for those of the model where the last one that was followed did.
"""

from __future__ import annotations

import math

from evenkeel.observe.schedule import Schedule

CLOSE = 16  # so many steps are followed closely before any is only counted
COUNT = 8  # steps at most are counted before it is asked again whether a look is due


class Stride:
    """Decides at the end of each step about the next; `counting` where that is only counted."""

    def __init__(self, budget: Schedule) -> None:
        self.counting = False
        self._budget = budget
        self._keeping, self._spent = 0.0, 0.0
        self._pattern: list[bool] = []
        self._known: list[bool] = []
        self._plan_at = 0

    def saw(self, reached_model: bool) -> bool:
        """A backward pass in a step that is followed, and whether it was about the model; gives that back."""
        self._pattern.append(reached_model)
        return reached_model

    def expects(self) -> bool:
        """A backward pass in a step that is counted: whether it is about the model, as in the last one followed."""
        place = len(self._pattern)
        return self.saw(self._known[place : place + 1] != [False])

    def counted(self, step: int) -> None:
        """The end of a step that was counted."""
        self._pattern.clear()
        if step >= self._plan_at:
            self._plan(step, looking=False)

    def followed(self, step: int, *, looked: bool, looking: bool) -> None:
        """The end of a step that was followed; whether it was looked at, and whether that look goes on."""
        self._known, self._pattern = self._pattern, []
        if not looked:  # a look is paid for elsewhere
            self._keeping = min(self._keeping or math.inf, self._budget.spent - self._spent)
        self._spent = self._budget.spent
        self._plan(step, looking=looking)

    def _plan(self, step: int, *, looking: bool) -> None:
        budget, after = self._budget, step + 1
        stride = budget.stride(self._keeping, step) if step >= CLOSE else 1
        self.counting = after % stride > 0 and not (looking or budget.due(after) or budget.brief(after))
        closely_at, brief_at = after // stride * stride + stride, 2 ** after.bit_length()
        self._plan_at = min(step + COUNT, closely_at - 1, brief_at - 1)
        if not self.counting:
            self._spent = budget.spent
