"""Least losses of constants and of free outputs, against known values."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from doctor._setups import blobs, net
from evenkeel.doctor.bounds import constant_loss, floor
from evenkeel.heads.match import last_operation

CE = functional.cross_entropy


def entropy(counts: torch.Tensor) -> float:
    """Of a distribution given by counts, in nats."""
    shares = counts / counts.sum()
    return float(-(shares * shares.log()).sum())


def test_the_best_constant_logits_are_worth_the_entropy_of_the_classes() -> None:
    batches = blobs(size=64)
    outputs, targets = [torch.randn(64, 3) for _ in batches], [y for _, y in batches]
    found = constant_loss(outputs, targets, CE, None)
    assert found is not None
    expected = entropy(torch.bincount(torch.cat(targets)).double())
    assert found[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("scale", [1.0, 1e5])
def test_the_best_constant_number_is_the_mean_whatever_its_size(scale: float) -> None:
    y = scale * (3 + torch.randn(200, 1))
    found = constant_loss([torch.zeros(200, 1)], [y], functional.mse_loss, None)
    assert found is not None
    assert found[0] == pytest.approx(float(y.var(correction=0)), rel=1e-3)


def test_a_softmax_before_cross_entropy_has_a_floor_that_logits_have_not() -> None:
    _, y = blobs()[0]
    inside, free = floor(torch.zeros(len(y), 3), y, CE, "softmax"), floor(torch.zeros(len(y), 3), y, CE, None)
    assert inside == pytest.approx(math.log(1 + 2 / math.e), abs=0.01)  # the best row is (1, 0, 0)
    assert free is not None and free < 1e-3


def test_a_sigmoid_before_its_own_loss_has_none() -> None:
    y = torch.randint(2, (64, 1), generator=torch.Generator().manual_seed(0)).float()
    found = floor(torch.zeros(64, 1), y, functional.binary_cross_entropy, "sigmoid")
    assert found is not None and found < 1e-3


@pytest.mark.parametrize(
    ("last", "name"),
    [(nn.Softmax(1), "softmax"), (nn.Sigmoid(), "sigmoid"), (nn.Tanh(), "tanh"), (nn.ReLU(), "relu"), (None, None)],
)
def test_the_range_is_read_from_the_graph(last: nn.Module | None, name: str | None) -> None:
    output = net(2, 4, 3, last=last)(blobs()[0][0])
    assert last_operation(output) == name
    assert last_operation(output.unsqueeze(1).squeeze(1)) == name


def test_a_loss_that_cannot_be_asked_gives_nothing() -> None:
    def strict(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        raise ValueError("unit length only")

    assert constant_loss([torch.zeros(4, 2)], [torch.zeros(4)], strict, None) is None
    assert floor(torch.zeros(4, 2), torch.zeros(4), strict, None) is None
