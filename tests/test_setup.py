"""A set-up keeps what it is given, makes optimizers for other models, and refuses wrong requests in one sentence."""

import copy

import pytest
import torch
from torch import nn

from _unchecked import unchecked
from doctor._setups import blobs, net
from evenkeel.errors import DataError, RequestError
from evenkeel.setup import MOST_BATCHES, make_setup

LOSS = nn.functional.cross_entropy


def test_the_same_optimizer_is_made_for_another_model_with_its_groups_and_state() -> None:
    model = net(2, 8, 3)
    optimizer = torch.optim.Adam([{"params": model[0].parameters(), "lr": 0.5}, {"params": model[2].parameters()}])
    x, y = blobs()[0]
    LOSS(model(x), y).backward()
    optimizer.step()
    other = copy.deepcopy(model)
    made = make_setup(model, LOSS, blobs(), optimizer=optimizer).make_optimizer(other)
    held = [parameter for group in made.param_groups for parameter in group["params"]]
    assert [id(one) for one in held] == [id(one) for one in other.parameters()]
    assert [group["lr"] for group in made.param_groups] == [0.5, 1e-3]
    for old, new in zip(model.parameters(), held, strict=True):
        assert torch.equal(optimizer.state[old]["exp_avg"], made.state[new]["exp_avg"])
        assert optimizer.state[old]["exp_avg"] is not made.state[new]["exp_avg"]


def test_a_long_iterator_is_kept_up_to_a_number() -> None:
    batch = blobs()[0]
    endless = iter(lambda: batch, None)
    assert len(make_setup(net(2, 4, 3), LOSS, endless).batches) == MOST_BATCHES


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
        make_setup(*arguments)
