"""Rows 21 and 32: a transformer on characters; too fast a start with post-norm, and a loss that counts padding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from bench._specimens.attention import Transformer
from bench._specimens.loops import plain_loop
from bench._specimens.make import ADAM, MakeOptimizer, adam, drawn, twins
from bench._specimens.scores import outputs
from bench._specimens.setup import Batch, Case, LossFunction, SetUp
from bench._specimens.tables import data_folder
from evenkeel.setup import Setup

LENGTH = 64
BATCH = 16
EPOCH = 200
"""Batches of one epoch: random windows."""


@cache
def characters() -> tuple[Tensor, int]:
    """The text as numbers, and how many different characters it has; that number itself stands for padding."""
    text = (data_folder() / "tinyshakespeare" / "input.txt").read_text()
    number = {character: place for place, character in enumerate(sorted(set(text)))}
    return torch.tensor([number[character] for character in text]), len(number)


def windows(count: int, part: Literal["train", "held out"], seed: int) -> list[Batch]:
    """Batches of characters and the ones that follow; the last tenth of the text is held out."""
    text, _ = characters()
    cut = int(0.9 * len(text))
    text = text[:cut] if part == "train" else text[cut:]
    starts = torch.randint(len(text) - LENGTH - 1, (count, BATCH, 1), generator=torch.Generator().manual_seed(seed))
    rows = text[starts + torch.arange(LENGTH + 1)]
    return [(row[:, :-1], row[:, 1:]) for row in rows]


def padded(batches: list[Batch], seed: int) -> list[Batch]:
    """Three to ten characters of each window, then padding: nine positions in ten."""
    _, padding = characters()
    generator = torch.Generator().manual_seed(seed)
    found = []
    for inputs, target in batches:
        lengths = torch.randint(3, 11, (BATCH, 1), generator=generator)
        empty = torch.arange(LENGTH) >= lengths
        found.append((inputs.masked_fill(empty, padding), target.masked_fill(empty, padding)))
    return found


def every_position(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy over all positions."""
    return functional.cross_entropy(output.flatten(0, 1), target.flatten())


def real_positions(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy over the positions that hold a character."""
    return functional.cross_entropy(output.flatten(0, 1), target.flatten(), ignore_index=characters()[1])


def held_out_loss(model: nn.Module, batches: list[Batch]) -> float:
    """Nats per character."""
    return float(real_positions(outputs(model, batches), torch.cat([target for _, target in batches])))


def unigram_loss(batches: list[Batch]) -> float:
    """Nats per character of the training part's character frequencies."""
    text, count = characters()
    frequency = torch.bincount(text[: int(0.9 * len(text))], minlength=count).clamp(min=1).double()
    target = torch.cat([target.flatten() for _, target in batches])
    return float(-(frequency / frequency.sum()).log()[target[target < count]].mean())


@dataclass(frozen=True, kw_only=True)
class Text:
    """A set-up on characters."""

    net: Callable[[int], nn.Module]
    optimizer: MakeOptimizer = ADAM
    loss: LossFunction = every_position
    padding: Literal["none", "nine in ten"] = "none"
    scheduler: Callable[[Optimizer], LRScheduler] | None = None

    def build(self, seed: int) -> Case:
        """Windows and weights are drawn from the seed."""
        train, validation = windows(EPOCH, "train", seed), windows(20, "held out", 0)
        if self.padding != "none":
            train, validation = padded(train, seed), padded(validation, 0)
        tokens = characters()[1] + (self.padding != "none")
        return Case(
            setup=Setup(
                model=drawn(lambda: self.net(tokens), seed),
                loss=self.loss,
                make_optimizer=self.optimizer,
                batches=train,
                validation=validation,
                metric=lambda model: held_out_loss(model, validation),
            ),
            trivial=unigram_loss(validation),
            make_scheduler=self.scheduler,
        )

    def set_up(self, name: str, steps: int) -> SetUp:
        """Judged by the held-out loss."""
        return SetUp(name=name, build=self.build, steps=steps, loop=plain_loop, direction="lower")


def transformer(layers: int, place: Literal["pre", "post"], width: int = 64) -> Callable[[int], nn.Module]:
    """A transformer for so many tokens."""
    return lambda tokens: Transformer(tokens, width, layers, LENGTH, place)


def warm_up(optimizer: Optimizer) -> LRScheduler:
    """The rate rises along a line over 50 steps."""
    return LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 50))


ROWS = [
    twins(
        21,
        "post-norm transformer of 8 layers, Adam 1e-2, no warm-up",
        Text(net=transformer(8, "post"), optimizer=adam(1e-2)).set_up("21 sick", 300),
        Text(net=transformer(8, "pre"), optimizer=adam(1e-2), scheduler=warm_up).set_up("21 fixed", 300),
        symptoms="no-learning exploding-gradient",
        causes="learning-rate missing-normalisation",
    ),
    twins(
        32,
        "the loss counts padding, nine positions in ten",
        Text(net=transformer(2, "pre"), padding="nine in ten").set_up("32 sick", 300),
        Text(net=transformer(2, "pre"), padding="nine in ten", loss=real_positions).set_up("32 fixed", 300),
        symptoms="output-mismatch wrong-first-loss",
        causes="loss-choice",
    ),
]
