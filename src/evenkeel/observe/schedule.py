"""When to look next: as often as a share of the loop's own time pays for.

A look at step 1; the next ones as soon as everything spent so far, and the next look with it, is within `budget` of the
loop's own time, or all looks are within half of it where the steps themselves are so short that to count them costs
more. `every=n` looks at each n-th step, whatever it costs. In a distributed run all ranks must look at
the same steps: where the model is spread over processes the next one is agreed on at each look.
"""

from __future__ import annotations

import math
import time
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import distributed

from evenkeel.errors import RequestError

DEFAULT_BUDGET = 0.01
LOOKING, JUDGING, KEEPING = 0.5, 0.15, 0.2
"""Parts of the budget: for looks, for judging what they saw, and for what each step in between costs."""
ALL = 0.65
"""Part of the budget that looks may fill up to when the others leave theirs."""
REPEATED = 0.2
"""Before a second look: what it is guessed to cost, as a share of the first, where that can be repeated."""


Cost = Literal["whole", "repeatable", "repeated"]
"""Of a look that may not be repeated, of one that may, and of one that repeated an earlier one."""


@runtime_checkable
class Schedule(Protocol):
    """Decides when to look, and keeps the account of what looking costs; `cost` is a share of the loop's own time."""

    spent: float
    """Seconds spent on watching so far."""

    @property
    def cost(self) -> float:
        """Time spent on watching so far as a share of the loop's own."""
        ...

    def start(self) -> None:
        """The loop begins now."""

    def agree(self) -> None:
        """Several processes train one model: all look at the same steps."""

    def due(self, step: int) -> bool:
        """Whether to look at this step, counted from 1."""
        ...

    def brief(self, step: int) -> bool:
        """Whether to look at the weights of this step alone, which costs little."""
        ...

    def stride(self, seconds: float, steps: int) -> int:
        """At each how many of the steps, so many until now, a cost of some seconds can be paid for."""
        ...

    def charge(self, seconds: float) -> None:
        """Add to what was spent."""

    def pays_whole(self) -> bool:
        """Whether the next look may be one that repeats nothing."""
        ...

    def opened(self) -> None:
        """A look begins."""

    def looked(self, step: int, cost: Cost = "whole") -> None:
        """A look at this step is over."""

    def glanced(self) -> None:
        """A brief look is over."""

    def affords(self, seconds: float) -> bool:
        """Whether a judgement that takes this long can be paid for."""
        ...

    def judged(self, seconds: float) -> None:
        """A judgement took this long."""


class Budget:
    """Accounts the watch's own time against that of the loop, in seconds.

    Example:
        >>> budget = Budget(0.01, every=10)
        >>> [step for step in range(1, 31) if budget.due(step)]
        [1, 10, 20, 30]
    """

    def __init__(self, share: float = DEFAULT_BUDGET, every: int | None = None) -> None:
        if not 0 < share <= 1:
            raise RequestError(f"budget is a share of the time, above 0 and at most 1, got {share}; try 0.01")
        if every is not None and (not isinstance(every, int) or every < 1):
            raise RequestError(f"every must be a whole number of steps, 1 or more, got {every!r}")
        self.share, self.every = share, every
        self.spent = 0.0
        self._before = 0.0
        self._look = self._whole = 0.0
        self.together = False
        """Whether ranks train one model, and agree."""
        self._planned: int | None = None
        self._looked = self._judged = 0.0
        self.start()

    def start(self) -> None:
        """The loop begins now."""
        self._started = time.perf_counter()

    def agree(self) -> None:
        """Several processes train one model: all look at the same steps."""
        self.together = True

    @property
    def own(self) -> float:
        """Seconds that the loop itself has taken."""
        return max(time.perf_counter() - self._started - self.spent, 0.0)

    @property
    def cost(self) -> float:
        """Time spent on watching so far as a share of the loop's own."""
        own = self.own
        return self.spent / own if own > 0 else 0.0

    def due(self, step: int) -> bool:
        """Whether to look at this step, counted from 1."""
        if step == 1:
            return True
        if self.every is not None:
            return step % self.every == 0
        if self._planned is not None:
            return step >= self._planned
        return self._pays(self._look)

    def pays_whole(self) -> bool:
        """Whether a look that repeats nothing is within the budget too."""
        return self.every is not None or self._pays(self._whole)

    def _pays(self, seconds: float) -> bool:
        own = self.share * self.own
        return self._looked + seconds <= LOOKING * own or self.spent + seconds <= ALL * own

    def brief(self, step: int) -> bool:
        """Steps 2, 4, 8, ...: a fault of the loop itself shows at once, and in a long run that costs nothing."""
        return self.every is None and step > 1 and step & (step - 1) == 0

    def charge(self, seconds: float) -> None:
        """Add to what was spent."""
        self.spent += seconds

    def opened(self) -> None:
        """A look begins."""
        self._before = self.spent

    def glanced(self) -> None:
        """A brief look is over and paid for: it says nothing of what the next full one costs."""
        self._looked, self._before = self._looked + self.spent - self._before, self.spent

    def looked(self, step: int, cost: Cost = "whole") -> None:
        """A look at this step is over and paid for; the first one pays for what is set up once."""
        last, self._before = self.spent - self._before, self.spent
        self._looked += last
        if cost != "repeated":
            self._whole = last
        if cost != "repeatable":
            self._look = last if not self._look else 0.5 * (self._look + last)
        elif not self._look:
            self._look = REPEATED * last
        if self.together and self.every is None and distributed.is_available() and distributed.is_initialized():
            self._planned = _agreed(self._next(step))

    def affords(self, seconds: float) -> bool:
        """Whether a judgement that takes this long is within the part of the budget that is set aside for them."""
        return self.every is not None or self._judged + seconds <= JUDGING * self.share * self.own

    def judged(self, seconds: float) -> None:
        """A judgement took this long (and is charged as everything else)."""
        self._judged += seconds

    def stride(self, seconds: float, steps: int) -> int:
        """At each how many of the steps, so many until now, a cost of some seconds is within what is set aside."""
        if self.every is not None:
            return 1
        return max(1, math.ceil(seconds * steps / max(KEEPING * self.share * self.own, 1e-9)))

    def _next(self, step: int) -> int:
        """The step at which the next look will be paid for, as things go."""
        due = min((self._looked + self._look) / LOOKING, (self.spent + self._look) / ALL)
        missing = due / self.share - self.own
        return step + max(1, math.ceil(missing / max(self.own / step, 1e-9)))


def _agreed(step: int) -> int:
    """The latest of what all ranks propose."""
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    proposed = torch.tensor(step, device=device)
    distributed.all_reduce(proposed, op=distributed.ReduceOp.MAX)
    return int(proposed)
