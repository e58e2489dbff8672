"""Healthy controls beside the fixed twins: nothing is to be found here."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from bench._specimens.graph import Gcn, on_cora
from bench._specimens.loops import plain_loop
from bench._specimens.make import Recipe, sgd
from bench._specimens.nets import convolutional, mlp, residual
from bench._specimens.pairs import Pairs, normalised_nce
from bench._specimens.recurrent import CHANNELS, WIDTH, Sequences
from bench._specimens.scaling import gaussian
from bench._specimens.setup import SetUp
from bench._specimens.text import Text, transformer

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"ReLU": nn.ReLU, "tanh": nn.Tanh, "GELU": nn.GELU}
STEPS = 1260


def plain(name: str, depth: int) -> SetUp:
    """nn.Linear as torch initialises it, so many hidden layers of 64."""
    recipe = Recipe(net=lambda: mlp([64, *[64] * depth, 10], ACTIVATIONS[name]), table="digits")
    return recipe.set_up(f"healthy {depth} x {name}", STEPS)


def squares(net: nn.Module) -> nn.Module:
    """The same net for rows of 64 pixels."""
    return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), net)


def gru() -> nn.RNNBase:
    """Torch's own gated cell."""
    return nn.GRU(CHANNELS, WIDTH, batch_first=True)


def lstm() -> nn.RNNBase:
    """Torch's own long short-term memory."""
    return nn.LSTM(CHANNELS, WIDTH, batch_first=True)


HEALTHY = [
    *(plain(name, depth) for name in ACTIVATIONS for depth in range(2, 7)),
    Recipe(net=lambda: squares(convolutional([64, 10], (16, 32), 8)), table="digits").set_up("healthy CNN", 630),
    Recipe(net=lambda: residual(64, 64, 10, 10), table="digits").set_up("healthy 20 residual layers", STEPS),
    Recipe(net=lambda: mlp([64, 64, 64, 10], norm=nn.BatchNorm1d), table="digits").set_up("healthy batch norm", STEPS),
    Recipe(net=lambda: mlp([64, 64, 10]), table="digits", optimizer=sgd(0.05, 0.9)).set_up("healthy momentum", STEPS),
    Recipe(net=lambda: mlp([10, 32, 2]), table="diabetes", loss=gaussian).set_up("healthy Gaussian, diabetes", 100),
    Recipe(net=lambda: mlp([8, 64, 2]), table="energy", loss=gaussian).set_up("healthy Gaussian, energy", 1500),
    Recipe(net=lambda: mlp([784, 128, 10]), table="mnist", batch=64).set_up("healthy mnist", 450),
    Sequences(cell=gru, steps=12, answer="mean").set_up("healthy GRU", 400),
    Sequences(cell=lstm, steps=12, answer="mean").set_up("healthy LSTM", 400),
    Text(net=transformer(4, "pre")).set_up("healthy transformer", 300),
    Pairs(loss=normalised_nce).set_up("healthy InfoNCE", 300),
    SetUp(name="healthy GCN", build=on_cora(lambda: Gcn(2, 16)), steps=200, loop=plain_loop),
]
