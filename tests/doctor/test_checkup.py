"""The checkup of small set-ups: what is wrong is found, what is right is left in peace, nothing is changed."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

import evenkeel as ek
from doctor._setups import blobs, line, net
from evenkeel.errors import RequestError

CE, MSE = functional.cross_entropy, functional.mse_loss


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("model", "loss", "batches"),
    [(lambda: net(2, 32, 32, 3), CE, blobs()), (lambda: net(4, 32, 1), MSE, line())],
    ids=["classes", "numbers"],
)
def test_a_sound_set_up_is_healthy(model, loss, batches, seed: int) -> None:
    found = ek.checkup(model(), loss, batches, validation=batches[:2], seed=seed)
    assert found.healthy, str(found)
    assert found.steps == 100 and found.notes == ()


@pytest.mark.parametrize(
    ("model", "loss", "batches", "rate", "symptom", "cause"),
    [
        (net(2, 32, 3, last=nn.Softmax(1)), CE, blobs(), 1e-3, "output-mismatch", "output-activation"),
        (net(4, 32, 1, last=nn.Tanh()), MSE, line(scale=30.0), 1e-3, "output-mismatch", "output-activation"),
        (net(2, 32, 3), CE, blobs(), 1e-9, "no-learning", "learning-rate"),
        (net(2, *[10] * 12, 3), CE, blobs(), 1e-3, "vanishing-gradient", "initialisation"),
    ],
    ids=["softmax", "tanh", "rate", "chain"],
)
def test_what_is_wrong_is_found(model, loss, batches, rate: float, symptom: str, cause: str) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    found = ek.checkup(model, loss, batches, optimizer=optimizer)
    alarms = {each.symptom: each.cause for each in found.findings if each.severity != "note"}
    assert alarms.get(symptom) == cause, str(found)


def test_nothing_of_the_users_changes() -> None:
    model, batches = nn.Sequential(nn.BatchNorm1d(2), net(2, 16, 3)).eval(), blobs()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    before = copy.deepcopy((model.state_dict(), batches, optimizer.state_dict()))
    random = torch.get_rng_state()
    ek.checkup(model, CE, batches, optimizer=optimizer, steps=10)
    now = (model.state_dict(), batches, optimizer.state_dict())
    torch.testing.assert_close(now, before, rtol=0, atol=0)
    assert torch.equal(torch.get_rng_state(), random)
    assert not model.training and all(parameter.grad is None for parameter in model.parameters())
    assert not model._forward_hooks and not model._forward_pre_hooks


def test_the_same_seed_gives_the_same_checkup() -> None:
    found = [ek.checkup(net(2, 16, 3), CE, blobs(), steps=20, seed=seed).to_json() for seed in (3, 3, 4)]
    assert found[0] == found[1] != found[2]


def test_a_loss_that_is_lost_ends_the_training_early() -> None:
    model = net(2, 16, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e30)
    found = ek.checkup(model, CE, blobs(), optimizer=optimizer)
    assert found.steps < 20 and not found.healthy
    assert "non-finite" in {each.symptom for each in found.findings}


def test_steps_must_be_some() -> None:
    with pytest.raises(RequestError, match="steps must be a whole number, 1 or more, got 0"):
        ek.checkup(net(2, 3), CE, blobs(), steps=0)
