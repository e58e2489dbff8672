"""Targets for every kind of head: real ones from scikit-learn's sample data, and skewed ones."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn import datasets

from evenkeel import heads, nets
from evenkeel.network import Network

SKEW = ("real", "skewed")


@dataclass(frozen=True, kw_only=True)
class Case:
    """Standardised inputs (row, column), a target, and the sizes its head needs."""

    inputs: torch.Tensor
    target: torch.Tensor
    sizes: dict[str, int]


def case(name: str, skew: str, rows: int = 400) -> Case:
    """Data for the head of that name."""
    reads = heads.PARTS[name].reads
    return {"number": _numbers, "class": _classes, "labels": _labels}[reads](skew, rows)


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


def started(name: str, data: Case, *, members: int | None = None, **options) -> Network:
    """An MLP with the head of that name, started for the case's target."""
    net = nets.MLP(data.inputs.shape[1], width=32, members=members)
    head = heads.PARTS[name].call(32, members=members, **data.sizes, **options)
    head.start(data.target)
    return Network(net, head)
