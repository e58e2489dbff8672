"""Rows 1-7 and 37: gradients that vanish or explode on their way down, units that are dead, nets blind to their input.

A size such as 5 x 11 is width 5, 11 hidden layers.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from bench._specimens.make import Recipe, twins
from bench._specimens.nets import (
    Exponential,
    constant_output,
    convolutional,
    glorot,
    he,
    he_uniform,
    initialised,
    mlp,
    residual,
    small_uniform,
)
from bench._specimens.tables import scaled


def born_dead() -> nn.Module:
    """ReLU 5 x 16 with He's initialisation, drawn until the output is one constant: about one draw in four."""
    points = scaled("moons").train[0]
    while True:
        net = initialised(mlp([2, *[5] * 16, 1]), he)
        if constant_output(net, points):
            return net


ONE = Recipe(net=lambda: initialised(mlp([2, *[5] * 11, 1], nn.Sigmoid), he_uniform), table="moons")
TWO = Recipe(net=lambda: mlp([2, *[5] * 12, 3], nn.Sigmoid), table="blobs")
THREE = Recipe(net=lambda: initialised(mlp([2, *[5] * 8, 3]), small_uniform), table="blobs")
FOUR = Recipe(net=lambda: mlp([2, *[5] * 9, 3], Exponential), table="blobs")
FIVE = Recipe(net=lambda: initialised(mlp([784, *[128] * 20, 10]), glorot), table="mnist", batch=64)
SEVEN = Recipe(net=born_dead, table="moons")
LAST = Recipe(net=lambda: initialised(mlp([784, *[128] * 56, 10]), he), table="mnist", batch=64)


def images(net: nn.Module) -> nn.Module:
    """The same net for rows of 784 pixels."""
    return nn.Sequential(nn.Unflatten(1, (1, 28, 28)), net)


SIX = Recipe(net=lambda: initialised(images(convolutional([*[64] * 16, 10])), small_uniform), table="mnist", batch=64)

ROWS = [
    twins(
        1,
        "sigmoid 5 x 11, He-uniform, two moons",
        ONE,
        replace(ONE, net=lambda: initialised(mlp([2, *[5] * 11, 1], nn.Tanh), glorot)),
        steps=1500,
        symptoms="vanishing-gradient",
        causes="activation depth",
    ),
    twins(
        2,
        "sigmoid 5 x 12, three blobs",
        TWO,
        replace(TWO, net=lambda: residual(2, 5, 6, 3)),
        steps=1500,
        symptoms="vanishing-gradient no-learning",
        causes="activation",
    ),
    twins(
        3,
        "ReLU 5 x 8, weights U(-.05, .05), three blobs",
        THREE,
        replace(THREE, net=lambda: initialised(mlp([2, *[5] * 8, 3]), he)),
        steps=1500,
        symptoms="vanishing-gradient",
        causes="initialisation",
    ),
    twins(
        4,
        "exp(x) as activation, 5 x 9, three blobs",
        FOUR,
        replace(FOUR, net=lambda: initialised(mlp([2, *[5] * 9, 3]), he)),
        steps=1500,
        symptoms="exploding-gradient non-finite",
        causes="activation",
    ),
    twins(
        5,
        "ReLU 128 x 20, Glorot, mnist",
        FIVE,
        replace(FIVE, net=lambda: residual(784, 128, 10, 10)),
        steps=300,
        symptoms="vanishing-gradient",
        causes="initialisation depth",
    ),
    twins(
        6,
        "conv 32-64, dense 64 x 16, weights U(-.05, .05), mnist",
        SIX,
        replace(SIX, net=lambda: initialised(images(convolutional([*[64] * 16, 10])), he)),
        steps=300,
        symptoms="vanishing-gradient",
        causes="initialisation",
    ),
    twins(
        7,
        "ReLU 5 x 16, He, two moons: born dead",
        SEVEN,
        replace(SEVEN, net=lambda: initialised(mlp([2, *[32] * 16, 1], nn.LeakyReLU), he)),
        steps=1500,
        symptoms="dead-units",
        causes="depth",
    ),
    twins(
        37,
        "plain ReLU 128 x 56, He, mnist",
        LAST,
        replace(LAST, net=lambda: residual(784, 128, 28, 10)),
        steps=400,
        symptoms="input-blind no-learning",
        causes="depth",
    ),
]


def share_born_dead(draws: int = 400) -> float:
    """How often row 7's net is born dead, over so many seeds."""
    points, dead = scaled("moons").train[0], 0
    for seed in range(draws):
        torch.manual_seed(seed)
        dead += constant_output(initialised(mlp([2, *[5] * 16, 1]), he), points)
    return dead / draws
