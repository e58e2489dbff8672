import pytest
import torch
from torch import nn

from evenkeel.errors import TrainingError
from evenkeel.observe import watch
from evenkeel.observe.hooks import installed
from evenkeel.observe.recorder import Recorder
from evenkeel.observe.schedule import Budget
from evenkeel.observe.step import StepWatch
from evenkeel.observe.subject import Subject
from observe._loops import small


def test_what_was_handed_over_stays():
    model = small()
    first, second = (torch.optim.SGD(model.parameters(), 0.1) for _ in range(2))
    subject = Subject(model, [first])
    subject.learn_model(small())
    assert not subject.learn_optimizer(second) and subject.optimizers == [first] and subject.model is model


def test_a_model_that_is_not_known_yet_is_an_error():
    with pytest.raises(TrainingError, match="no model is known yet"):
        Subject().model  # noqa: B018


def loop(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 5) -> None:
    draws = torch.Generator().manual_seed(0)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(12, 6, generator=draws)).square().mean().backward()
        optimizer.step()


def test_a_follower_attached_before_any_model_exists_sees_what_a_watch_sees():
    original, subject, record, notes = nn.Module.__call__, Subject(), Recorder(), []
    follower = StepWatch(subject, Budget(every=1), record, notes.append)
    with installed(None, None, follower):
        nn.Flatten()(torch.ones(2, 3))  # nothing to train: not followed
        other = torch.optim.SGD([nn.Parameter(torch.ones(1))], 0.1)
        torch.manual_seed(0)
        model = small()
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        assert not subject.known
        loop(model, optimizer)
        other.step()
    follower.close()
    record.fetch(ended=True)
    assert subject.model is model and subject.optimizers == [optimizer] and notes == []
    torch.manual_seed(0)
    twin = small()
    twin_optimizer = torch.optim.Adam(twin.parameters(), 0.01)
    with watch(twin, twin_optimizer, every=1) as known:
        loop(twin, twin_optimizer)
    seen, expected = record.history(), known.history
    assert seen.steps == expected.steps == 5 and seen.optimizer == expected.optimizer == "adaptive"
    assert seen.losses == expected.losses and seen.sizes == expected.sizes
    assert [look.gradient_norm for look in seen.looks] == [look.gradient_norm for look in expected.looks]
    assert [look.chain.total_gain for look in seen.looks] == [look.chain.total_gain for look in expected.looks]
    assert nn.Module.__call__ is original and not model._forward_pre_hooks and not model._forward_hooks


def test_where_no_model_came_everything_is_taken_back():
    original = nn.Module.__call__
    with installed(None, None, StepWatch(Subject(), Budget(every=1), Recorder(), [].append)):
        torch.ones((), requires_grad=True).square().backward()
    assert nn.Module.__call__ is original
