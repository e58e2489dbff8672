"""Rows 18 and 19: gradients that vanish or explode over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from bench._specimens.loops import clipped_loop, plain_loop
from bench._specimens.make import ADAM, MakeOptimizer, cross_entropy, drawn, twins
from bench._specimens.scores import accuracy
from bench._specimens.setup import Batch, Case, Loop, SetUp
from evenkeel.setup import Setup

CHANNELS = 4
"""Channels of a sequence, and classes."""
WIDTH = 32


class LastStep(nn.Module):
    """A recurrent net (batch, step, channel) whose last output goes to a linear head."""

    def __init__(self, cell: nn.RNNBase) -> None:
        super().__init__()
        self.cell = cell
        self.head = nn.Linear(cell.hidden_size, CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cell(x)[0][:, -1])


def sequences(rows: int, steps: int, answer: Literal["first step", "mean"], seed: int) -> Batch:
    """Noise; the class is the channel marked in the first step, or the one whose mean over time is raised."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(CHANNELS, (rows,), generator=generator)
    mark = nn.functional.one_hot(target, CHANNELS).float()
    if answer == "mean":
        return torch.randn(rows, steps, CHANNELS, generator=generator) + 0.4 * mark[:, None], target
    x = 0.1 * torch.randn(rows, steps, CHANNELS, generator=generator)
    x[:, 0] += mark
    return x, target


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """A set-up on sequences."""

    cell: Callable[[], nn.RNNBase]
    steps: int
    answer: Literal["first step", "mean"]
    optimizer: MakeOptimizer = ADAM

    def build(self, seed: int) -> Case:
        """Sequences and weights are drawn from the seed; those held out are the same for all."""
        x, y = sequences(2048, self.steps, self.answer, seed)
        validation = [sequences(512, self.steps, self.answer, 10_000)]
        return Case(
            setup=Setup(
                model=drawn(lambda: LastStep(self.cell()), seed),
                loss=cross_entropy,
                make_optimizer=self.optimizer,
                batches=list(zip(x.split(32), y.split(32), strict=True)),
                validation=validation,
                metric=lambda model: accuracy(model, validation),
            ),
            trivial=1 / CHANNELS,
        )

    def set_up(self, name: str, steps: int, loop: Loop = plain_loop) -> SetUp:
        """Judged by accuracy."""
        return SetUp(name=name, build=self.build, steps=steps, loop=loop)


def orthogonal(gain: float) -> nn.RNNBase:
    """ReLU cells whose recurrent weights are orthogonal times a gain."""
    cell = nn.RNN(CHANNELS, WIDTH, nonlinearity="relu", batch_first=True)
    nn.init.orthogonal_(cell.get_parameter("weight_hh_l0"), gain)
    return cell


def open_gates() -> nn.RNNBase:
    """An LSTM that remembers from the start: forget bias 4, so that half of a state survives 40 steps."""
    cell = nn.LSTM(CHANNELS, WIDTH, batch_first=True)
    with torch.no_grad():
        cell.get_parameter("bias_ih_l0")[WIDTH : 2 * WIDTH] = 4.0
    return cell


def plain_cell() -> nn.RNNBase:
    """Torch's own tanh cell."""
    return nn.RNN(CHANNELS, WIDTH, batch_first=True)


LONG, LOUD = 100, 60

ROWS = [
    twins(
        18,
        "tanh RNN, T = 100, the answer is in the first step",
        Sequences(cell=plain_cell, steps=LONG, answer="first step").set_up("18 sick", 600),
        Sequences(cell=open_gates, steps=LONG, answer="first step").set_up("18 fixed", 600),
        symptoms="vanishing-gradient",
        causes="depth",
    ),
    twins(
        19,
        "ReLU RNN, T = 60, recurrent weights orthogonal x 1.8",
        Sequences(cell=lambda: orthogonal(1.8), steps=LOUD, answer="mean").set_up("19 sick", 400),
        Sequences(cell=lambda: orthogonal(1.0), steps=LOUD, answer="mean").set_up("19 fixed", 400, clipped_loop),
        symptoms="exploding-gradient",
        causes="initialisation",
    ),
]
