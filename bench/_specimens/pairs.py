"""Rows 23 and 24: embeddings of pairs of drawings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench._specimens.drawings import DRAWERS, drawings
from bench._specimens.loops import plain_loop
from bench._specimens.make import ADAM, MakeOptimizer, drawn, twins
from bench._specimens.nets import he, initialised
from bench._specimens.setup import Batch, Case, LossFunction, SetUp
from evenkeel.losses import contrastive, info_nce
from evenkeel.setup import Setup

BATCH = 64
Partners = Literal["same", "half the same"]


class Tower(nn.Module):
    """Pairs of images (batch, 2, 1, 28, 28) to pairs of embeddings (batch, 2, 64), by one net for both sides."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *(nn.Conv2d(1, width, 3, 2, 1), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, 2, 1), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, 2, 1), nn.ReLU()),
            nn.Flatten(),
        )
        self.head = nn.Linear(width * 16, 64)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.convolutions(x.flatten(0, 1))).view(len(x), 2, -1)


def pairs(count: int, partners: Partners, seed: int) -> list[Batch]:
    """Two drawings of a character, each character once in a batch; the target says whether they belong together."""
    images, generator = drawings("train"), torch.Generator().manual_seed(seed)
    found = []
    for _ in range(count):
        left = torch.randperm(len(images), generator=generator)[:BATCH]
        same = torch.ones(BATCH, dtype=torch.bool)
        if partners == "half the same":
            same[BATCH // 2 :] = False
        right = torch.where(same, left, left.roll(1))
        drawers = torch.randint(DRAWERS, (BATCH, 2), generator=generator)
        found.append((torch.stack([images[left, drawers[:, 0]], images[right, drawers[:, 1]]], 1), same))
    return found


def unnormalised_nce(output: Tensor, target: Tensor) -> Tensor:
    """InfoNCE on raw products, temperature .001."""
    products = output[:, 0] @ output[:, 1].T / 0.001
    return functional.cross_entropy(products, torch.arange(len(target)))


def normalised_nce(output: Tensor, target: Tensor) -> Tensor:
    """InfoNCE on cosines, temperature .07."""
    return info_nce(output[:, 0], output[:, 1], temperature=0.07)


def siamese(output: Tensor, target: Tensor) -> Tensor:
    """Same pairs together, others a margin apart."""
    return contrastive(output[:, 0], output[:, 1], target)


@torch.no_grad()
def retrieval(model: nn.Module, queries: Tensor) -> float:
    """How often a drawing's nearest (by cosine) among one drawing of each held-out character is its own character."""
    mode = model.training
    model.eval()
    right = []
    for drawer in range(0, DRAWERS, 2):
        sides = functional.normalize(model(queries[:, drawer : drawer + 2]), dim=-1)
        nearest = (sides[:, 0] @ sides[:, 1].T).nan_to_num(-1.0).argmax(1)
        right.append((nearest == torch.arange(len(nearest))).float().mean())
    model.train(mode)
    return float(torch.stack(right).mean())


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """A set-up on pairs of drawings."""

    loss: LossFunction
    partners: Partners = "same"
    net: Callable[[], nn.Module] = Tower
    optimizer: MakeOptimizer = ADAM

    def build(self, seed: int) -> Case:
        """Pairs and weights are drawn from the seed."""
        held_out = drawings("held out")
        return Case(
            setup=Setup(
                model=drawn(self.net, seed),
                loss=self.loss,
                make_optimizer=self.optimizer,
                batches=pairs(60, self.partners, seed),
                validation=[(held_out[:BATCH, :2], torch.ones(BATCH, dtype=torch.bool))],
                metric=lambda model: retrieval(model, held_out),
            ),
            trivial=1 / len(held_out),
        )

    def set_up(self, name: str, steps: int) -> SetUp:
        """Judged by retrieval."""
        return SetUp(name=name, build=self.build, steps=steps, loop=plain_loop)


def loud() -> nn.Module:
    """He's initialisation, so that the embeddings are of the images' own scale."""
    return initialised(Tower(), he)


ROWS = [
    twins(
        23,
        "InfoNCE on unnormalised embeddings, temperature .001, omniglot",
        Pairs(loss=unnormalised_nce, net=loud).set_up("23 sick", 300),
        Pairs(loss=normalised_nce, net=loud).set_up("23 fixed", 300),
        symptoms="exploding-gradient loss-spike no-learning",
        causes="loss-choice",
    ),
    twins(
        24,
        "siamese contrastive without negatives, omniglot",
        Pairs(loss=siamese).set_up("24 sick", 1200),
        Pairs(loss=siamese, partners="half the same").set_up("24 fixed", 1200),
        symptoms="collapsed-output",
        causes="loss-choice",
    ),
]
