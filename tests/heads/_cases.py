"""Targets for every kind of head: real ones from scikit-learn's sample data, and skewed ones."""

import importlib
import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn import datasets
from torch import nn

from evenkeel import heads, losses, nets
from evenkeel.heads.decoded import KINDS, TWO_PARTS
from evenkeel.network import Network

SKEW = ("real", "skewed")
# Heads that one network of an ensemble can have; an embedding, a text or a code has no mean over members.
ENSEMBLES = [name for name, part in heads.PARTS.items() if "members" in inspect.signature(part.call).parameters]
STEPS, VOCABULARY = 6, 11
DECODED_CLASSES = 3
AHEAD = [name for name, part in heads.PARTS.items() if part.target == "series"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """Standardised inputs (row, column), or tokens (row, step), a target, the views of a row, what its head needs."""

    inputs: torch.Tensor
    target: torch.Tensor
    sizes: dict[str, Any]
    views: int = 1


class Views(nn.Module):
    """One net for several views of each row, (batch, view, unit)."""

    def __init__(self, net: nn.Module, views: int) -> None:
        super().__init__()
        self.net, self.views = net, views

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([self.net(view) for view in (x, x.flip(1), -x)[: self.views]], dim=1)


class Placed(nn.Module):
    """Features that end in level 0 and scale 1 of a window, and in center and spread of its series."""

    def __init__(self, net: nn.Module, target: torch.Tensor) -> None:
        super().__init__()
        self.net, spread = net, target.std(correction=0)
        self.place = torch.stack([torch.zeros(()), torch.ones(()), target.mean(), spread]).float()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.net(x)
        return torch.cat([found, self.place.expand(*found.shape[:-1], 4)], dim=-1)


def case(name: str, skew: str, rows: int = 400, loss: str | None = None) -> Case:
    """Data for the head of that name under that loss."""
    part = heads.PARTS[name]
    by_loss = {"groups": _groups, "pairs": _groups, "inputs": _decoded}
    if part.target in by_loss:
        return by_loss[part.target](skew, rows, loss or part.call.default_loss)
    plain = {"number": _numbers, "class": _classes, "labels": _labels, "tokens": _tokens, "series": _steps}
    return plain[part.target](skew, rows)


def compares(name: str) -> bool:
    """Whether the loss of that head is one of how an example lies among the others."""
    return heads.PARTS[name].call.examples == "compared"


def plain_loss(loss: str, *given: torch.Tensor, **options: Any) -> float:
    """The mean of the textbook formula from the loss's test file, in float64."""
    exact = (each.double() if each.is_floating_point() else each for each in given)
    return importlib.import_module(f"losses.test_{loss}").plain(*exact, **options).mean().item()


def frequencies(target: torch.Tensor) -> torch.Tensor:
    """The share of each class."""
    return torch.bincount(target.flatten()).double() / target.numel()


def standardised(target: torch.Tensor) -> torch.Tensor:
    """Mean 0 and spread 1."""
    return (target - target.mean()) / target.std(correction=0)


def _inputs(matrix) -> torch.Tensor:
    values = torch.as_tensor(np.asarray(matrix), dtype=torch.float32)
    return (values - values.mean(0)) / (values.std(0) + 1e-6)


def _numbers(skew: str, rows: int) -> Case:
    data = datasets.load_diabetes()
    target = torch.from_numpy(data.target)
    if skew == "skewed":
        target = torch.exp(2 * torch.randn(len(target), dtype=torch.float64)) * 1e4
    return Case(inputs=_inputs(data.data)[:rows], target=target[:rows], sizes={})


def _classes(skew: str, rows: int) -> Case:
    data = datasets.load_wine()
    target = torch.from_numpy(data.target)
    if skew == "skewed":
        target = torch.zeros(len(target), dtype=torch.int64)
        target[:7], target[7:9] = 1, 2
    return Case(inputs=_inputs(data.data)[:rows], target=target[:rows], sizes={"classes": 3})


def _labels(skew: str, rows: int) -> Case:
    data = datasets.load_digits()
    digit = torch.from_numpy(data.target)
    labels = torch.stack([digit % 2 == 0, digit > 5, (digit == 2) | (digit == 7)], dim=1).float()
    if skew == "skewed":
        labels = (torch.rand(len(digit), 3) < torch.tensor([0.02, 0.5, 0.95])).float()
    return Case(inputs=_inputs(data.data)[:rows], target=labels[:rows], sizes={"labels": 3})


def _groups(skew: str, rows: int, loss: str) -> Case:
    given = _classes(skew, rows)
    count = len(given.target) // 2 * 2
    inputs, target = given.inputs[:count], given.target[:count]
    record, views = losses.PARTS[loss], 1
    if "embedding-triplets" in record.expects:
        target, views = torch.ones(count), 3
    elif "embedding-pairs" in record.expects and record.takes_target:
        target, views = (target == 0).long(), 2
    elif "embedding-pairs" in record.expects:
        target = (torch.arange(count) // 2)[torch.randperm(count)]
    return Case(inputs=inputs, target=target, sizes={"units": 8}, views=views)


def _tokens(skew: str, rows: int) -> Case:
    share = torch.ones(VOCABULARY) if skew == "real" else 0.5 ** torch.arange(VOCABULARY)
    text = torch.multinomial(share.expand(rows, -1), STEPS + 1, replacement=True)
    return Case(inputs=text[:, :-1], target=text[:, 1:], sizes={"vocabulary": VOCABULARY})


def _steps(skew: str, rows: int) -> Case:
    """Two steps to come: the number, and what it has in common with that of the row before."""
    given = _numbers(skew, rows)
    return Case(
        inputs=given.inputs,
        target=torch.stack([given.target, 0.5 * (given.target + given.target.roll(1))], dim=1),
        sizes={"horizon": 2},
    )


def decoded_kind(loss: str) -> str:
    """What a decoder gives under a loss."""
    return next(kind for kind in KINDS if kind in losses.PARTS[loss].expects)


def _decoded(skew: str, rows: int, loss: str) -> Case:
    """The inputs themselves, in the form that the decoder's loss takes, and a decoder that starts near 0."""
    inputs = _numbers(skew, rows).inputs
    values = inputs.double() if skew == "real" else 1e4 * torch.exp(inputs.double())
    kind = decoded_kind(loss)
    target = {
        "logits": (inputs > -0.5).long() + (inputs > 0.5).long(),
        "binary-logits": (inputs > 0).float(),
        "log-rate": inputs.abs().round(),
        "log-gamma": inputs.exp(),
    }.get(kind, values)
    columns = inputs.shape[1]
    parts = {"logits": DECODED_CLASSES}.get(kind, 2 if kind in TWO_PARTS else 1)
    shape = (columns, parts) if parts > 1 else (columns,)
    decoder = nn.Sequential(nn.Linear(2, columns * parts), nn.Unflatten(1, shape))
    nn.init.normal_(decoder[0].weight, std=0.02)
    nn.init.zeros_(decoder[0].bias)
    return Case(inputs=inputs, target=target, sizes={"units": 2, "decoder": decoder})


def started(name: str, data: Case, *, members: int | None = None, **options) -> Network:
    """A network with the head of that name, started for the case's target; codes are not drawn (evaluation mode)."""
    if heads.PARTS[name].target == "tokens":
        net: nn.Module = nn.Embedding(VOCABULARY, 32)
    elif name in AHEAD:
        net = Placed(nets.MLP(data.inputs.shape[1], width=28, members=members), data.target)
    else:
        net = nets.MLP(data.inputs.shape[1], width=32, members=members)
    if data.views > 1:
        net = Views(net, data.views)
    ensemble = {"members": members} if name in ENSEMBLES else {}
    head = heads.PARTS[name].call(32, **ensemble, **data.sizes, **options)
    head.start(data.target)
    return Network(net, head).eval()
