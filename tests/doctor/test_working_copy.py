"""Copies share nothing that changes; batches are kept; wrong requests are refused in one sentence."""

import pytest
import torch
from torch import nn

from doctor._setups import blobs, net
from evenkeel.doctor.working_copy import copy_together, order, working_copy
from evenkeel.errors import RequestError
from evenkeel.setup import make_setup

LOSS = nn.functional.cross_entropy


def test_the_optimizers_copy_holds_the_copied_parameters_in_its_groups() -> None:
    model = net(2, 8, 3)
    optimizer = torch.optim.SGD([{"params": model[0].parameters(), "lr": 0.5}, {"params": model[2].parameters()}], 0.1)
    copied, stepping, _ = copy_together(model, optimizer)
    held = [id(parameter) for group in stepping.param_groups for parameter in group["params"]]
    assert held == [id(parameter) for parameter in copied.parameters()]
    assert [group["lr"] for group in stepping.param_groups] == [0.5, 0.1]
    assert not set(held) & {id(parameter) for parameter in model.parameters()}


def test_training_the_copy_leaves_the_original_alone() -> None:
    model = net(2, 8, 3)
    before = [parameter.clone() for parameter in model.parameters()]
    optimizer = torch.optim.Adam(model.parameters())
    given = working_copy(make_setup(model, LOSS, blobs(), optimizer=optimizer))
    given.loss_of(given.batches[0]).backward()
    given.optimizer.step()
    assert all(torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not optimizer.state
    assert any(not torch.equal(a, b) for a, b in zip(before, given.model.parameters(), strict=True))


def test_a_loss_with_weights_is_copied_with_the_model_it_belongs_to() -> None:
    class Judge(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            return LOSS(output * self.scale, target)

    model = nn.Sequential(net(2, 8, 3), nn.Identity())
    model[1].judge = judge = Judge()
    optimizer = torch.optim.Adam(model.parameters())
    given = working_copy(make_setup(model, judge.loss, blobs(), optimizer=optimizer))
    given.copied().loss_of(given.batches[0]).backward()
    assert all(parameter.grad is None for parameter in given.model.parameters())
    given.loss_of(given.batches[0]).backward()
    assert judge.scale.grad is None and given.model[1].judge.scale.grad is not None
    assert working_copy(make_setup(model, LOSS, blobs())).loss is LOSS


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    first = [number for number, _ in zip(order(5, 1), range(10), strict=False)]
    again = [number for number, _ in zip(order(5, 1), range(10), strict=False)]
    other = [number for number, _ in zip(order(5, 2), range(10), strict=False)]
    assert first == again != other
    assert sorted(first[:5]) == sorted(first[5:]) == list(range(5))


def test_values_are_measured_in_evaluation_mode_and_the_mode_is_put_back() -> None:
    model = nn.Sequential(nn.Dropout(0.9), nn.Linear(2, 3))
    given = working_copy(make_setup(model, LOSS, blobs()))
    assert given.value_of(given.batches) == given.value_of(given.batches)
    assert given.model.training


def test_a_model_that_cannot_be_copied_is_named() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(2, 3))
            self.kept = self.weight * 2  # a tensor with a graph: torch refuses to copy it

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x @ self.kept

    with pytest.raises(RequestError, match="this Odd cannot be copied"):
        working_copy(make_setup(Odd(), LOSS, blobs()))
