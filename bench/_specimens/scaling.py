"""Rows 8, 9, 13, 22, 38: targets and data in the wrong units, and a squared error that feeds on itself."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from bench._specimens.make import Recipe, sgd, twins
from bench._specimens.nets import initialised, lecun, mlp
from evenkeel.losses import gaussian_nll


def gaussian(output: Tensor, target: Tensor) -> Tensor:
    """Negative log-likelihood of a head with two outputs: mean and log-variance."""
    return gaussian_nll(output[:, :1], output[:, 1:], target)


def chain() -> nn.Module:
    """Twelve linear layers of 32, gain 1."""
    return initialised(mlp([8, *[32] * 11, 1], nn.Identity), lecun)


CONCRETE = Recipe(net=lambda: mlp([8, 64, 64, 1]), table="concrete", scaling="raw", optimizer=sgd(0.01))
POWER = Recipe(net=lambda: mlp([4, 64, 1]), table="power-plant", scaling="raw target")
BOSTON = Recipe(net=lambda: mlp([13, 32, 1], after=[nn.Tanh()]), table="bostonHousing", scaling="raw target")
GAUSSIAN = Recipe(net=lambda: mlp([13, 32, 2]), table="bostonHousing", scaling="raw target", loss=gaussian)
LINEAR = Recipe(net=chain, table="energy", optimizer=sgd(0.1))

ROWS = [
    twins(
        8,
        "concrete in raw units, SGD .01",
        CONCRETE,
        replace(CONCRETE, scaling="standardised"),
        steps=2000,
        symptoms="exploding-gradient non-finite",
        causes="target-scale data-scale learning-rate",
    ),
    twins(
        9,
        "power-plant, target in raw units",
        POWER,
        replace(POWER, scaling="standardised"),
        steps=1000,
        symptoms="wrong-first-loss no-learning",
        causes="target-scale",
    ),
    # The twin standardises the target as well: with the target left in raw units it would have the fault of row 9.
    twins(
        13,
        "tanh on the output, boston's target of 5 to 50",
        BOSTON,
        replace(BOSTON, net=lambda: mlp([13, 32, 1]), scaling="standardised"),
        steps=1000,
        symptoms="output-mismatch",
        causes="output-activation",
    ),
    twins(
        22,
        "Gaussian head, boston's target in raw units",
        GAUSSIAN,
        replace(GAUSSIAN, scaling="standardised"),
        steps=1000,
        symptoms="wrong-first-loss collapsed-output",
        causes="target-scale",
    ),
    twins(
        38,
        "twelve linear layers, squared error, SGD .1",
        LINEAR,
        replace(LINEAR, optimizer=sgd(0.001)),
        steps=1000,
        symptoms="exploding-gradient",
        causes="learning-rate initialisation loss-choice",
    ),
]
