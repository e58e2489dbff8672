"""Looks at steps 1, 2, 4, 8, ... and at the last: often where much changes, seldom where little does."""

from __future__ import annotations

from evenkeel.observe.schedule import Cost


class PowersOfTwo:
    """Takes the place of a budget where the length of the training is known.

    Example:
        >>> plan = PowersOfTwo(20)
        >>> [step for step in range(1, 21) if plan.due(step)]
        [1, 2, 4, 8, 16, 20]
    """

    def __init__(self, steps: int) -> None:
        self._at = {2**power for power in range(steps.bit_length())} | {steps}
        self.spent = 0.0

    @property
    def cost(self) -> float:
        """Not accounted for: the training belongs to the checkup."""
        return 0.0

    def start(self) -> None:
        """Start no clock: there is no budget."""

    def agree(self) -> None:
        """All processes look at the same steps anyway."""

    def opened(self) -> None:
        """Looks cost nothing here."""

    def stride(self, seconds: float, steps: int) -> int:
        """Every step is followed."""
        return 1

    def affords(self, seconds: float) -> bool:
        """Every judgement is made."""
        return True

    def judged(self, seconds: float) -> None:
        """Judgements cost nothing here."""

    def due(self, step: int) -> bool:
        """Whether to look at this step, counted from 1."""
        return step in self._at

    def brief(self, step: int) -> bool:
        """Every look is a full one."""
        return False

    def glanced(self) -> None:
        """Do nothing: no look is brief."""

    def charge(self, seconds: float) -> None:
        """Seconds are noted, and decide nothing."""
        self.spent += seconds

    def pays_whole(self) -> bool:
        """There is no budget."""
        return True

    def looked(self, step: int, cost: Cost = "whole") -> None:
        """The next look is known already."""
