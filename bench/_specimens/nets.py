"""Nets of the specimens: multilayer perceptrons with any activation and initialisation, residual ones, a small CNN."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

Initialise = Callable[[Tensor], object]


class Exponential(nn.Module):
    """exp(x) as an activation."""

    def forward(self, x: Tensor) -> Tensor:
        return x.exp()


class Add(nn.Module):
    """A residual block: x + branch(x)."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


class Split(nn.Module):
    """A trunk and a head, by name."""

    def __init__(self, trunk: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.trunk(x))


def mlp(
    sizes: list[int],
    activation: Callable[[], nn.Module] = nn.ReLU,
    *,
    norm: Callable[[int], nn.Module] | None = None,
    after: list[nn.Module] | None = None,
    dropout: float = 0.0,
) -> nn.Sequential:
    """Linear (norm) activation (dropout) ... Linear; `after` follows the last layer (an output activation)."""
    layers: list[nn.Module] = []
    for inner, outer in pairwise(sizes[:-1]):
        layers += [nn.Linear(inner, outer), *([norm(outer)] if norm else []), activation()]
        layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]), *(after or []))


def residual(
    inputs: int,
    width: int,
    blocks: int,
    outputs: int,
    activation: Callable[[], nn.Module] = nn.ReLU,
    norm: Callable[[int], nn.Module] | None = nn.LayerNorm,
) -> nn.Sequential:
    """Stem, pre-activation residual blocks of two layers, norm, head."""

    def block() -> nn.Module:
        inner = [nn.Linear(width, width), activation(), nn.Linear(width, width)]
        return Add(nn.Sequential(*([norm(width)] if norm else []), *inner))

    last = [norm(width)] if norm else []
    return nn.Sequential(nn.Linear(inputs, width), *(block() for _ in range(blocks)), *last, nn.Linear(width, outputs))


def convolutional(dense: list[int], channels: tuple[int, int] = (32, 64), side: int = 28) -> nn.Sequential:
    """Two convolutions of 3 x 3 with pooling, then dense ReLU layers, on one-channel images."""
    first, second = channels
    features = second * (side // 4) ** 2
    return nn.Sequential(
        *(nn.Conv2d(1, first, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(first, second, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Flatten(),
        *mlp([features, *dense]),
    )


def initialised(model: nn.Module, weight: Initialise, bias: float | None = 0.0) -> nn.Module:
    """Set every weight matrix or kernel by `weight`, every bias of those layers to a constant (None: leave it)."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            weight(layer.weight)
            if layer.bias is not None and bias is not None:
                nn.init.constant_(layer.bias, bias)
    return model


def he(weight: Tensor) -> Tensor:
    """N(0, 2 / fan-in)."""
    return nn.init.kaiming_normal_(weight, nonlinearity="relu")


def he_uniform(weight: Tensor) -> Tensor:
    """U(-b, b) with b² = 6 / fan-in."""
    return nn.init.kaiming_uniform_(weight, nonlinearity="relu")


def glorot(weight: Tensor) -> Tensor:
    """U(-b, b) with b² = 6 / (fan-in + fan-out)."""
    return nn.init.xavier_uniform_(weight)


def lecun(weight: Tensor) -> Tensor:
    """N(0, 1 / fan-in)."""
    return nn.init.normal_(weight, 0.0, 1 / math.sqrt(weight[0].numel()))


def small_uniform(weight: Tensor) -> Tensor:
    """U(-.05, .05), whatever the fan."""
    return nn.init.uniform_(weight, -0.05, 0.05)


def normal(deviation: float) -> Initialise:
    """N(0, deviation²), whatever the fan."""
    return lambda weight: nn.init.normal_(weight, 0.0, deviation)


def constant(value: float) -> Initialise:
    """Every weight alike."""
    return lambda weight: nn.init.constant_(weight, value)


def parameter_count(model: nn.Module) -> int:
    """How many numbers are learned."""
    return sum(parameter.numel() for parameter in model.parameters())


def constant_output(model: nn.Module, x: Tensor) -> bool:
    """Whether the output is the same for all these inputs: the net was born dead."""
    with torch.no_grad():
        found = model(x)
    return bool((found == found[:1]).all())
