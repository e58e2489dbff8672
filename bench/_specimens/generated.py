"""Generated set-ups: everything drawn at random from a seed, labelled by outcome.

Healthy: loses at most 5 % of what the best of a small search gains over the trivial predictor of the same data.
Sick: loses more than a third of it. Between the two: left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from bench._specimens import store
from bench._specimens.make import MakeOptimizer, Recipe, Scaling
from bench._specimens.nets import (
    Initialise,
    constant,
    convolutional,
    glorot,
    he,
    initialised,
    lecun,
    mlp,
    normal,
    residual,
    small_uniform,
)
from bench._specimens.outcomes import Outcome, lost_share, train
from bench._specimens.setup import SetUp
from bench._specimens.tables import raw

Label = Literal["healthy", "sick", "between"]
HEALTHY_LOSS, SICK_LOSS = 0.05, 1 / 3
STEPS = 800
SHORT = {"diabetes": 100}
"""Data that usual nets have learned by heart after 800 steps: a long training is a fault of its own there."""
VERSION = 1
"""Of the draw and the training: raise it when either changes."""

DATA = ("digits", "wine", "breast-cancer", "diabetes", "moons", "blobs", "penguins", "titanic")
DATA += ("bostonHousing", "concrete", "energy", "power-plant", "wine-quality-red")
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "ReLU": nn.ReLU,
    "tanh": nn.Tanh,
    "GELU": nn.GELU,
    "SiLU": nn.SiLU,
    "leaky ReLU": nn.LeakyReLU,
    "sigmoid": nn.Sigmoid,
}
INITIALISATIONS: dict[str, Initialise | None] = {
    "torch": None,
    "He": he,
    "Glorot": glorot,
    "LeCun": lecun,
    "U(-.05, .05)": small_uniform,
    "N(0, .01²)": normal(0.01),
    "N(0, 1)": normal(1.0),
    "constant .1": constant(0.1),
}
OPTIMIZERS: dict[str, tuple[float, Callable[[nn.Module, float], torch.optim.Optimizer]]] = {
    # The usual rate, and the optimizer.
    "Adam": (2e-3, lambda model, rate: torch.optim.Adam(model.parameters(), lr=rate)),
    "AdamW": (2e-3, lambda model, rate: torch.optim.AdamW(model.parameters(), lr=rate)),
    "RMSprop": (1e-3, lambda model, rate: torch.optim.RMSprop(model.parameters(), lr=rate)),
    "SGD": (0.1, lambda model, rate: torch.optim.SGD(model.parameters(), lr=rate)),
    "momentum": (0.02, lambda model, rate: torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)),
}
BODIES = ("plain", "residual", "batch norm", "layer norm", "dropout", "convolution", "recurrent")


@dataclass(frozen=True, kw_only=True)
class Definition:
    """Everything that was drawn."""

    table: str
    body: str
    width: int
    depth: int
    activation: str
    initialisation: str
    optimizer: str
    rate: float
    batch: int
    scaling: Scaling
    seed: int

    @property
    def steps(self) -> int:
        """The length of its training."""
        return SHORT.get(self.table, STEPS)

    @property
    def key(self) -> str:
        """The name of its outcome in the cache."""
        return store.digest(asdict(self), self.steps, VERSION)

    @property
    def name(self) -> str:
        """In words."""
        shape = f"{self.body} {self.width} x {self.depth} {self.activation}"
        training = f"{self.initialisation}, {self.optimizer} {self.rate:.2g}, batch {self.batch}"
        return f"{self.table} {self.scaling}, {shape}, {training}"


class Rows(nn.Module):
    """Images of 8 x 8 read row by row."""

    def __init__(self, width: int, depth: int, outputs: int) -> None:
        super().__init__()
        self.cell = nn.GRU(8, width, num_layers=depth, batch_first=True)
        self.head = nn.Linear(width, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.cell(x.view(len(x), 8, 8))[0][:, -1])


def draw(index: int) -> Definition:
    """The definition of this number: each choice is a usual one more often than not."""
    random = np.random.default_rng([VERSION, index])

    def one(*choices: Any, weights: tuple[float, ...] | None = None) -> Any:
        p = None if weights is None else np.array(weights) / sum(weights)
        return choices[int(random.choice(len(choices), p=p))]

    table = one(*DATA)
    bodies = BODIES if table == "digits" else BODIES[:5]
    body = one(*bodies, weights=(5, 2, 2, 1, 1, 2, 1)[: len(bodies)])
    shallow = body in ("convolution", "recurrent") or random.random() < 0.6
    depth = int(random.integers(1, 3)) if body == "recurrent" else int(random.integers(1, 5 if shallow else 21))
    optimizer = one(*OPTIMIZERS, weights=(5, 2, 1, 2, 2))
    # In units of the usual rate, in decades: near it, or anywhere from far too small to far too large.
    decades = random.normal(0, 0.3) if random.random() < 0.7 else random.uniform(-4, 3)
    return Definition(
        table=table,
        body=body,
        width=one(8, 16, 32, 64, 128, weights=(1, 1, 2, 2, 1)),
        depth=depth,
        activation=one(*ACTIVATIONS, weights=(5, 2, 2, 1, 1, 2)),
        initialisation=one(*INITIALISATIONS, weights=(6, 4, 3, 2, 1, 1, 1, 0.5)),
        optimizer=optimizer,
        rate=float(f"{OPTIMIZERS[optimizer][0] * 10**decades:.3g}"),
        batch=one(4, 16, 32, 64, 128, weights=(1, 3, 4, 4, 2)),
        scaling=one("standardised", "raw", "raw target", "stretched", weights=(8, 1, 0.5, 0.5)),
        seed=index,
    )


def search(table: str) -> list[Definition]:
    """The small search whose best is the measure: twelve usual nets and rates."""
    shared = {"table": table, "initialisation": "torch", "optimizer": "Adam", "scaling": "standardised", "seed": 0}
    return [
        Definition(**shared, body=body, width=64, depth=depth, activation="ReLU", rate=rate, batch=32)
        for body, depth in (("plain", 1), ("plain", 2), ("layer norm", 2), ("dropout", 2))
        for rate in (1e-3, 3e-3, 1e-2)
    ]


def network(definition: Definition) -> nn.Module:
    """The net of a definition, weights drawn from the current random state."""
    table = raw(definition.table)
    outputs, columns, width, depth = table.outputs, table.columns, definition.width, definition.depth
    activation, weight = ACTIVATIONS[definition.activation], INITIALISATIONS[definition.initialisation]
    sizes = [columns, *[width] * depth, outputs]
    nets: dict[str, Callable[[], nn.Module]] = {
        "plain": lambda: mlp(sizes, activation),
        "residual": lambda: residual(columns, width, (depth + 1) // 2, outputs, activation),
        "batch norm": lambda: mlp(sizes, activation, norm=nn.BatchNorm1d),
        "layer norm": lambda: mlp(sizes, activation, norm=nn.LayerNorm),
        "dropout": lambda: mlp(sizes, activation, dropout=0.2),
        "convolution": lambda: nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)), convolutional([*[width] * depth, outputs], (8, 16), 8)
        ),
        "recurrent": lambda: Rows(width, depth, outputs),
    }
    net = nets[definition.body]()
    return initialised(net, weight) if weight else net


def set_up(definition: Definition) -> SetUp:
    """The set-up of a definition; the seed it is built with is its own."""
    make, rate = OPTIMIZERS[definition.optimizer][1], definition.rate
    optimizer: MakeOptimizer = lambda model: make(model, rate)  # noqa: E731 - bound to this rate
    recipe = Recipe(
        net=lambda: network(definition),
        table=definition.table,
        scaling=definition.scaling,
        optimizer=optimizer,
        batch=definition.batch,
    )
    return recipe.set_up(f"generated {definition.seed}: {definition.name}", definition.steps)


def measure(definition: Definition) -> Outcome:
    """Train it, unless the cache knows the outcome."""
    known = store.outcomes().get(definition.key)
    if known is None:
        known = train(set_up(definition), definition.seed)
        store.keep(definition.key, definition.name, known)
    return known


def best_of(table: str) -> Outcome:
    """The best of the small search."""
    found = [measure(definition) for definition in search(table)]
    lower = set_up(search(table)[0]).direction == "lower"
    return (min if lower else max)(found, key=lambda outcome: outcome.score)


def squared(outcome: Outcome) -> Outcome:
    """The mean squared error instead of its root."""
    return replace(outcome, score=outcome.score**2, trivial=outcome.trivial**2)


def label(definition: Definition, best: Outcome) -> Label:
    """By the share of the best one's gain that is lost."""
    direction = set_up(definition).direction
    found = measure(definition)
    if direction == "lower":  # what a regression gains is a share of the variance, not of its root
        found, best = squared(found), squared(best)
    lost = lost_share(found, best, direction)
    return "healthy" if lost <= HEALTHY_LOSS else "sick" if lost > SICK_LOSS else "between"
