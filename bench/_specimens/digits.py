"""Rows 14-17, 25, 26, 35, 36 and the loops of 27, 33, 34: digits, with one thing wrong at a time."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from bench._specimens.loops import detaching_loop, evaluating_loop, forgetful_loop, plain_loop
from bench._specimens.make import Recipe, adam, sgd, twins
from bench._specimens.nets import Split, constant, glorot, he, initialised, mlp, normal
from bench._specimens.setup import Case, SetUp
from bench._specimens.tables import batches, scaled

ANY_SYMPTOM = "overfitting no-learning oscillation input-blind frozen-parameters output-mismatch dead-units"


def perceptron() -> nn.Module:
    """ReLU 64-64-10."""
    return mlp([64, 64, 10])


def batch_normed() -> nn.Module:
    """With batch norm and dropout."""
    return mlp([64, 64, 64, 10], norm=nn.BatchNorm1d, dropout=0.2)


def trunk_and_head() -> nn.Module:
    """A trunk of three layers and a linear head."""
    return Split(nn.Sequential(*mlp([64, 32, 32, 16]), nn.ReLU()), nn.Linear(16, 10))


def head_only(model: nn.Module) -> Optimizer:
    """Adam, given the head's parameters only."""
    return torch.optim.Adam(model.get_submodule("head").parameters(), lr=1e-3)


def fade(optimizer: Optimizer, length: int) -> LRScheduler:
    """The rate falls along a line to 0 after so many steps."""
    return LambdaLR(optimizer, lambda step: max(0.0, 1 - step / length))


def shuffled_labels(seed: int) -> Case:
    """The training labels belong to other inputs; the validation's are right."""
    case, (x, y) = PLAIN.build(seed), scaled("digits").train
    other = torch.randperm(len(y), generator=torch.Generator().manual_seed(1000 + seed))
    return replace(case, setup=replace(case.setup, batches=batches((x, y[other]), 32, seed)))


PLAIN = Recipe(net=perceptron, table="digits")
CONSTANT = Recipe(net=lambda: initialised(perceptron(), constant(0.05)), table="digits")
SATURATED = Recipe(net=lambda: initialised(mlp([64, 256, 256, 10], nn.Tanh), normal(1.0)), table="digits")
NORMED = Recipe(net=batch_normed, table="digits")
TINY = Recipe(net=lambda: mlp([64, 64, 64, 10], norm=nn.BatchNorm1d), table="digits", batch=2)
HEAD = Recipe(net=trunk_and_head, table="digits", optimizer=head_only)
MOMENTUM = Recipe(net=perceptron, table="digits", optimizer=sgd(0.1))
FADING = Recipe(net=perceptron, table="digits", scheduler=lambda optimizer: fade(optimizer, 20))
LONG = 1260
"""30 epochs of 42 batches."""

ROWS = [
    twins(
        14,
        "SGD 50",
        replace(PLAIN, optimizer=sgd(50)),
        replace(PLAIN, optimizer=sgd(0.1)),
        steps=LONG,
        symptoms="exploding-gradient loss-spike no-learning",
        causes="learning-rate",
    ),
    twins(
        15,
        "Adam 1e-8",
        replace(PLAIN, optimizer=adam(1e-8)),
        PLAIN,
        steps=LONG,
        symptoms="no-learning",
        causes="learning-rate",
    ),
    twins(
        16,
        "every weight .05",
        CONSTANT,
        replace(CONSTANT, net=lambda: initialised(perceptron(), he)),
        steps=LONG,
        symptoms="no-learning",
        causes="initialisation",
    ),
    twins(
        17,
        "tanh 64-256-256-10, weights N(0, 1)",
        SATURATED,
        replace(SATURATED, net=lambda: initialised(mlp([64, 256, 256, 10], nn.Tanh), glorot)),
        steps=420,
        symptoms="saturated-units",
        causes="initialisation",
    ),
    twins(
        25,
        "batch norm, batches of 2",
        TINY.set_up("25 sick", 16 * 420),
        replace(TINY, batch=32).set_up("25 fixed", 420),
        symptoms="oscillation",
        causes="batch-size",
    ),
    twins(
        26,
        "the optimizer has the head's parameters only",
        HEAD,
        replace(HEAD, optimizer=adam()),
        steps=LONG,
        symptoms="frozen-parameters",
        causes="optimizer",
    ),
    twins(
        27,
        "zero_grad is never called",
        MOMENTUM.set_up("27 sick", LONG, "watch", forgetful_loop),
        MOMENTUM.set_up("27 fixed", LONG, "watch"),
        symptoms="accumulating-gradient",
        causes="training-loop",
        repair="advice",
    ),
    twins(
        33,
        "trained in evaluation mode",
        NORMED.set_up("33 sick", LONG, "watch", evaluating_loop),
        NORMED.set_up("33 fixed", LONG, "watch"),
        symptoms=ANY_SYMPTOM,
        causes="training-loop",
        least="note",
        repair="advice",
    ),
    twins(
        34,
        "features detached before the head",
        replace(HEAD, optimizer=adam()).set_up("34 sick", LONG, "watch", detaching_loop),
        replace(HEAD, optimizer=adam()).set_up("34 fixed", LONG, "watch"),
        symptoms="frozen-parameters",
        causes="training-loop",
        repair="advice",
    ),
    twins(
        35,
        "labels shuffled against the inputs",
        SetUp(name="35 sick", build=shuffled_labels, steps=LONG, loop=plain_loop),
        PLAIN,
        steps=LONG,
        symptoms="no-learning overfitting",
        causes="training-loop",
        repair="advice",
    ),
    twins(
        36,
        "the schedule reaches 0 after 20 steps",
        FADING.set_up("36 sick", LONG, "watch"),
        replace(FADING, scheduler=lambda optimizer: fade(optimizer, LONG)).set_up("36 fixed", LONG, "watch"),
        symptoms="no-learning",
        causes="learning-rate",
        repair="advice",
    ),
]
