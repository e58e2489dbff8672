"""A set-up as a value: how to build it from a seed, how it is trained by its owner, and how it is judged.

case = setup.build(seed)                    case.setup, an `evenkeel.setup.Setup`, and its optimizer
setup.loop(case, setup.steps)               the owner's own training loop
setup.loop(case, 200, ek.watch(case.setup.model, case.optimizer))      the same loop, watched
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from evenkeel.setup import Setup

Batch = tuple[Any, Tensor]
LossFunction = Callable[[Tensor, Tensor], Tensor]
Direction = Literal["higher", "lower"]
# "checkup": model, loss, batches and optimizer show the fault; "watch": only the owner's own loop does.
Entry = Literal["checkup", "watch"]
Severity = Literal["note", "warning", "critical"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A set-up built from one seed, whose metric is held out; `trivial` is what the best constant predictor scores."""

    setup: Setup
    trivial: float
    make_scheduler: Callable[[Optimizer], LRScheduler] | None = None

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The loss of an output, for a loop that is the owner's."""
        assert self.setup.loss is not None, "every specimen has a loss of its own"
        return self.setup.loss(output, target)

    def score(self) -> float:
        """What the model scores on held-out data as it is now."""
        assert self.setup.metric is not None, "every specimen is judged"
        return self.setup.metric(self.setup.model)

    @cached_property
    def optimizer(self) -> Optimizer:
        """The optimizer of this case, made at the first access."""
        return self.setup.make_optimizer(self.setup.model)

    @cached_property
    def scheduler(self) -> LRScheduler | None:
        """The schedule of this case, if it has one."""
        return self.make_scheduler(self.optimizer) if self.make_scheduler else None


Loop = Callable[[Case, int, AbstractContextManager[Any]], None]


@dataclass(frozen=True, kw_only=True)
class SetUp:
    """Everything but the seed. `steps`: the length of its training; `direction`: which score is the better one."""

    name: str
    build: Callable[[int], Case]
    steps: int
    loop: Loop
    direction: Direction = "higher"
    entry: Entry = "checkup"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fault: the sick set-up, its fixed twin (a healthy control), and what counts as the right answer.

    `least`: the mildest severity that counts as found. `repair` is "advice" where no automatic change can help.
    """

    number: int
    title: str
    sick: SetUp
    fixed: SetUp
    symptoms: frozenset[str]
    causes: frozenset[str]
    least: Severity = "warning"
    repair: Literal["counted", "advice"] = "counted"


def forward(model: nn.Module, inputs: Any) -> Tensor:
    """Call a model with a tensor, a tuple, or a mapping of inputs."""
    if isinstance(inputs, Mapping):
        return model(**inputs)
    return model(*inputs) if isinstance(inputs, tuple) else model(inputs)
