"""Copies share nothing that changes; batches are kept; wrong requests are refused in one sentence."""

import pytest
import torch
from torch import nn

from _unchecked import unchecked
from doctor._setups import blobs, net
from evenkeel.doctor.subject import MOST_BATCHES, copy_together, order, subject
from evenkeel.errors import DataError, RequestError

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
    given = subject(model, LOSS, blobs(), optimizer, None)
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
    given = subject(model, judge.loss, blobs(), optimizer, None)
    given.copied().loss_of(given.batches[0]).backward()
    assert all(parameter.grad is None for parameter in given.model.parameters())
    given.loss_of(given.batches[0]).backward()
    assert judge.scale.grad is None and given.model[1].judge.scale.grad is not None
    assert subject(model, LOSS, blobs(), None, None).loss is LOSS


def test_a_long_iterator_is_kept_up_to_a_number() -> None:
    batch = blobs()[0]
    endless = iter(lambda: batch, None)
    assert len(subject(net(2, 4, 3), LOSS, endless, None, None).batches) == MOST_BATCHES


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    first = [number for number, _ in zip(order(5, 1), range(10), strict=False)]
    again = [number for number, _ in zip(order(5, 1), range(10), strict=False)]
    other = [number for number, _ in zip(order(5, 2), range(10), strict=False)]
    assert first == again != other
    assert sorted(first[:5]) == sorted(first[5:]) == list(range(5))


def test_values_are_measured_in_evaluation_mode_and_the_mode_is_put_back() -> None:
    model = nn.Sequential(nn.Dropout(0.9), nn.Linear(2, 3))
    given = subject(model, LOSS, blobs(), None, None)
    assert given.value_of(given.batches) == given.value_of(given.batches)
    assert given.model.training


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((lambda x: x, LOSS, blobs()), RequestError, "expected a torch.nn.Module"),
        ((net(2, 3), "mse", blobs()), RequestError, "expected loss"),
        ((net(2, 3), LOSS, []), DataError, "there is no batch"),
        ((net(2, 3), LOSS, 7), DataError, "expected an iterable of batches, got int"),
        ((net(2, 3), LOSS, [torch.zeros(3)]), DataError, r"a batch must be \(inputs, target\)"),
    ],
)
def test_wrong_requests(arguments: tuple, error: type[Exception], message: str) -> None:
    with unchecked(), pytest.raises(error, match=message):
        subject(*arguments, None, None)


def test_a_model_that_cannot_be_copied_is_named() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(2, 3))
            self.kept = self.weight * 2  # a tensor with a graph: torch refuses to copy it

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x @ self.kept

    with pytest.raises(RequestError, match="this Odd cannot be copied"):
        subject(Odd(), LOSS, blobs(), None, None)
