import pytest
import torch
from torch import nn

from evenkeel.chain.record.call import called
from evenkeel.observe.finite_check import FiniteCheck
from evenkeel.observe.subject import Subject
from observe._loops import small


def guard(model) -> FiniteCheck:
    return FiniteCheck(Subject(model, [torch.optim.SGD(model.parameters(), 0.1)]))


def test_a_finite_loss_and_gradient_ask_nobody():
    model, x = small(), torch.randn(12, 6)
    loss = model(x).square().mean()
    loss.backward()
    checker = guard(model)
    assert checker.check_loss(loss, None, 3) is None
    assert checker.check_gradient(loss, None, {}, 3) is None


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_loss_that_is_not(value):
    model, x = small(), torch.randn(12, 6)
    call = called(((x,), {}))
    found = guard(model).check_loss(model(x).mean() * value, call, 3)
    assert (found.step, found.where, found.operation, found.direction) == (3, "the loss", "mul", "forward")
    assert found.replayed


def test_without_a_call_nothing_is_replayed():
    found = guard(small()).check_loss(torch.tensor(torch.nan), None, 3)
    assert (found.operation, found.replayed) == ("unknown", False)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_gradient_that_is_not(value):
    model, x = small(), torch.randn(12, 6)
    call = called(((x,), {}))
    loss = model(x).square().mean()
    loss.backward()
    for parameter in model.parameters():
        parameter.grad.mul_(value)
    found = guard(model).check_gradient(loss, call, {0: torch.full((12, 1), value)}, 5)
    assert (found.step, found.where, found.direction, found.replayed) == (5, "the loss", "backward", True)
    unknown = guard(model).check_gradient(loss, None, {}, 5)
    assert (unknown.where, unknown.operation, unknown.replayed) == ("the model", "unknown", False)


def test_a_sum_that_overflows_is_no_fault():
    model = nn.Linear(4, 2).half()
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 6e4)
    assert not torch.isfinite(model.bias.grad.sum())
    assert guard(model).check_gradient(None, None, {}, 1) is None


def test_frozen_parameters_and_those_without_an_optimizer_do_not_serve():
    model = small()
    model[0].requires_grad_(False)
    checker = FiniteCheck(Subject(model, [torch.optim.SGD([*model[0].parameters(), *model[4].parameters()], 0.1)]))
    assert checker._parameter is model[4].bias
    model[0].requires_grad_(False)
    assert FiniteCheck(Subject(model, [torch.optim.SGD(model[0].parameters(), 0.1)]))._parameter is None
