"""The shortest way to write a set-up on a table: net, loss and optimizer; all else follows from the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn
from torch.nn import functional
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from bench._specimens.loops import plain_loop
from bench._specimens.scores import score_of, trivial_of
from bench._specimens.setup import Case, Entry, Loop, LossFunction, Row, SetUp
from bench._specimens.tables import batches, raw, scaled, whole
from evenkeel.setup import Setup

MakeOptimizer = Callable[[nn.Module], Optimizer]
Scaling = Literal["raw", "raw target", "standardised", "stretched"]
REGRESSIONS = ("diabetes", "bostonHousing", "concrete", "energy", "power-plant", "wine-quality-red")


def adam(rate: float = 1e-3) -> MakeOptimizer:
    """Adam on all parameters."""
    return lambda model: torch.optim.Adam(model.parameters(), lr=rate)


ADAM = adam()


def sgd(rate: float, momentum: float = 0.0) -> MakeOptimizer:
    """Gradient descent on all parameters."""
    return lambda model: torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)


def cross_entropy(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Of logits and class numbers."""
    return functional.cross_entropy(output, target)


def binary_cross_entropy(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Of logits and labels."""
    return functional.binary_cross_entropy_with_logits(output, target)


def mse(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared error."""
    return functional.mse_loss(output, target)


LOSSES: dict[str, LossFunction] = {"classes": cross_entropy, "labels": binary_cross_entropy, "value": mse}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a set-up on a table is made of; `threshold` is where a label counts as predicted."""

    net: Callable[[], nn.Module]
    table: str
    scaling: Scaling = "standardised"
    optimizer: MakeOptimizer = ADAM
    loss: LossFunction | None = None
    batch: int = 32
    threshold: float = 0.0
    scheduler: Callable[[Optimizer], LRScheduler] | None = None

    def build(self, seed: int) -> Case:
        """Draw the weights and the order of the rows from the seed; the caller's random state is left alone."""
        table = raw(self.table) if self.scaling == "raw" else scaled(self.table, self.scaling)
        return Case(
            setup=Setup(
                model=drawn(self.net, seed),
                loss=self.loss or LOSSES[table.kind],
                make_optimizer=self.optimizer,
                batches=batches(table.train, self.batch, seed),
                validation=whole(table.held_out),
                metric=score_of(table, self.threshold),
            ),
            trivial=trivial_of(table),
            make_scheduler=self.scheduler,
        )

    def set_up(self, name: str, steps: int, entry: Entry = "checkup", loop: Loop = plain_loop) -> SetUp:
        """The set-up of this recipe; the table is read when it is built."""
        direction = "lower" if self.table in REGRESSIONS else "higher"
        return SetUp(name=name, build=self.build, steps=steps, loop=loop, direction=direction, entry=entry)


def drawn(net: Callable[[], nn.Module], seed: int) -> nn.Module:
    """The net with the weights of this seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return net()


def twins(number: int, title: str, sick: SetUp | Recipe, fixed: SetUp | Recipe, **other: Any) -> Row:
    """A row of the examination. Recipes become set-ups of `steps`; `symptoms` and `causes` are lists of words."""
    steps = other.pop("steps", 0)
    pair = {}
    for role, half in (("sick", sick), ("fixed", fixed)):
        name = f"{number:02d} {role}"
        pair[role] = half.set_up(name, steps) if isinstance(half, Recipe) else half
    words = {name: frozenset(other.pop(name).split()) for name in ("symptoms", "causes")}
    return Row(number=number, title=title, **pair, **words, **other)
