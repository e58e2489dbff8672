"""Rows 10-12: output activation, loss and target that do not fit each other."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn
from torch.nn import functional

from bench._specimens.make import Recipe, mse, twins
from bench._specimens.nets import mlp


def probability_cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy of probabilities."""
    return functional.binary_cross_entropy(output, target)


TITANIC = Recipe(
    net=lambda: mlp([9, 32, 1], after=[nn.Softmax(dim=1)]),
    table="titanic",
    loss=probability_cross_entropy,
    threshold=0.5,
)
PENGUINS = Recipe(net=lambda: mlp([4, 32, 3], after=[nn.Softmax(dim=1)]), table="penguins")
EMOTIONS = Recipe(net=lambda: mlp([72, 32, 6], after=[nn.Softmax(dim=1)]), table="emotions", loss=mse, threshold=0.5)

ROWS = [
    twins(
        10,
        "softmax over one output, binary cross-entropy, titanic",
        TITANIC,
        replace(TITANIC, net=lambda: mlp([9, 32, 1], after=[nn.Sigmoid()])),
        steps=800,
        symptoms="output-mismatch no-learning",
        causes="output-activation",
    ),
    twins(
        11,
        "softmax, then cross-entropy on logits, penguins",
        PENGUINS,
        replace(PENGUINS, net=lambda: mlp([4, 32, 3])),
        steps=200,
        symptoms="output-mismatch",
        causes="output-activation",
    ),
    twins(
        12,
        "softmax and squared error on six labels, emotions",
        EMOTIONS,
        replace(EMOTIONS, net=lambda: mlp([72, 32, 6]), loss=None, threshold=0.0),
        steps=400,
        symptoms="output-mismatch",
        causes="output-activation loss-choice",
    ),
]
