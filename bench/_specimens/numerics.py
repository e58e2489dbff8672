"""Rows 28-31: numbers that overflow or vanish in their format, and layers that were frozen by accident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench._specimens.loops import dynamic_scale_loop, plain_loop, stuck_scale_loop
from bench._specimens.make import Recipe, adam, cross_entropy, drawn, twins
from bench._specimens.nets import Split, he, initialised, mlp
from bench._specimens.scores import accuracy
from bench._specimens.setup import Batch, Case, SetUp
from bench._specimens.tables import batches, scaled, whole
from evenkeel.setup import Setup

LONG = 1260


class Times(nn.Module):
    """Multiplies by a fixed number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


class Lower(nn.Module):
    """A model in bfloat16 that takes and gives float32."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model.to(torch.bfloat16)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x.to(torch.bfloat16)).float()


class Mixed(nn.Module):
    """A model with float32 weights that computes in bfloat16."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return self.model(x).float()


def by_hand(output: Tensor, target: Tensor) -> Tensor:
    """-log(softmax): infinite where a probability rounds to 0."""
    return -output.softmax(-1).log().gather(1, target[:, None]).mean()


def wide() -> nn.Module:
    """ReLU 64-256-256-10."""
    return mlp([64, 256, 256, 10])


HAND = Recipe(net=lambda: nn.Sequential(initialised(mlp([64, 64, 10]), he), Times(200.0)), table="digits", loss=by_hand)
LOST = Recipe(net=lambda: Lower(wide()), table="digits", optimizer=adam(1e-5))
HALF = Recipe(net=lambda: mlp([64, 64, 64, 10]), table="digits")


def half_the_classes(parts: Batch, first: int) -> Batch:
    """The rows of five classes from `first` on, numbered from 0."""
    rows = (parts[1] >= first) & (parts[1] < first + 5)
    return parts[0][rows], parts[1][rows] - first


def pretrained() -> nn.Module:
    """A net with batch norm that has learned the digits 0-4, with a new head for 5-9."""
    trunk = nn.Sequential(*mlp([64, 32, 32, 16], norm=nn.BatchNorm1d), nn.BatchNorm1d(16), nn.ReLU())
    model = Split(trunk, nn.Linear(16, 5))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    epoch = batches(half_the_classes(scaled("digits").train, 0), 32, 0)
    for _ in range(20):
        for x, y in epoch:
            optimizer.zero_grad()
            functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    model.head = nn.Linear(16, 5)
    return model


def fine_tuning(trunk: Callable[[nn.Module], object]) -> Callable[[int], Case]:
    """Fine-tuning on the digits 5-9; `trunk` does something to the trunk before."""

    def build(seed: int) -> Case:
        model = drawn(pretrained, seed)
        trunk(model.get_submodule("trunk"))
        train, held_out = (half_the_classes(parts, 5) for parts in (scaled("digits").train, scaled("digits").held_out))
        validation = whole(held_out)
        return Case(
            setup=Setup(
                model=model,
                loss=cross_entropy,
                make_optimizer=adam(),
                batches=batches(train, 32, seed),
                validation=validation,
                metric=lambda tuned: accuracy(tuned, validation),
            ),
            trivial=float((held_out[1] == train[1].mode().values).float().mean()),
        )

    return build


def frozen(trunk: nn.Module) -> None:
    """No gradient for the trunk; its batch norm still moves its averages."""
    trunk.requires_grad_(False)


ROWS = [
    # The twin's logits are of scale 1: log-softmax alone trains too, but a first loss of 100 is no healthy control.
    twins(
        28,
        "-log(softmax) by hand, logits of scale 200",
        HAND,
        replace(HAND, net=lambda: initialised(mlp([64, 64, 10]), he), loss=cross_entropy),
        steps=LONG,
        symptoms="non-finite",
        causes="numerics",
    ),
    twins(
        29,
        "fine-tuning with the trunk frozen by accident",
        SetUp(name="29 sick", build=fine_tuning(frozen), steps=420, loop=plain_loop),
        SetUp(name="29 fixed", build=fine_tuning(lambda trunk: None), steps=420, loop=plain_loop),
        symptoms="frozen-parameters",
        causes="optimizer",
    ),
    twins(
        30,
        "weights in bfloat16, Adam 1e-5",
        LOST,
        replace(LOST, net=lambda: Mixed(wide())),
        steps=3 * LONG,
        symptoms="no-learning",
        causes="numerics",
    ),
    twins(
        31,
        "fp16 with the loss scale stuck at 2^24",
        HALF.set_up("31 sick", 420, "watch", stuck_scale_loop),
        HALF.set_up("31 fixed", 420, "watch", dynamic_scale_loop),
        symptoms="no-learning non-finite",
        causes="numerics",
    ),
]
