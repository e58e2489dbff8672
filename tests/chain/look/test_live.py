import gc
import weakref

import pytest
import torch
from torch import nn

from evenkeel.chain import trace
from evenkeel.chain.look.live import MOST_PASSES, LiveLook, ReplayLook
from evenkeel.errors import TrainingError


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Dropout(0.3), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2))


def loss_of(output):
    return output.square().mean()


def seen(kind, model, x, *, factor=1.0):
    look = kind(model)
    look.enter(((x,), {}))
    output = model(x)
    look.leave(output)
    loss = loss_of(output) * factor
    assert look.reaches(loss)
    look.attach(loss)
    loss.backward()
    return look.chain(factor)


def numbers(chain, first: int):
    return [
        [link.gain, link.expected_gain, link.forward_rms, link.backward_rms, link.similarity, link.saturated]
        + [term.gradient_norm for term in link.terms]
        for link in chain.links[first:]
    ]


@pytest.mark.parametrize("kind", [LiveLook, ReplayLook])
@pytest.mark.parametrize("factor", [1.0, 512.0])
def test_the_same_as_a_trace(kind, factor):
    model, x = network(), torch.randn(10, 6)
    torch.manual_seed(4)
    expected = trace(model, lambda output, target: loss_of(output), (x, None))
    torch.manual_seed(4)
    found = seen(kind, model, x, factor=factor)
    assert [link.name for link in found.links] == [link.name for link in expected.links]
    first = 1 if kind is LiveLook else 0
    for one, other in zip(numbers(found, first), numbers(expected, first), strict=True):
        assert [value or 0 for value in one] == pytest.approx([value or 0 for value in other], rel=1e-4)
    assert found.loss == pytest.approx(expected.loss, rel=1e-6)
    assert found.output_gradient == pytest.approx(expected.output_gradient, rel=1e-5)


def test_live_the_first_link_has_no_gain_as_the_input_takes_no_gradient():
    found = seen(LiveLook, network(), torch.randn(10, 6))
    assert found.links[0].gain is None and found.links[1].gain is not None


@pytest.mark.parametrize("lying", [None, 0.5])
def test_gradients_of_this_pass_alone(lying):
    model, x = network().eval(), torch.randn(10, 6)
    expected = seen(LiveLook, model, x)
    for parameter in model.parameters():
        parameter.grad = None if lying is None else torch.full_like(parameter, lying)
    found = seen(LiveLook, model, x)
    for one, other in zip(numbers(found, 1), numbers(expected, 1), strict=True):
        assert [value or 0 for value in one] == pytest.approx([value or 0 for value in other], rel=1e-4)


def test_an_optimizer_inside_the_backward_pass():
    """Such loops clear each gradient as soon as it is there."""
    model, x = network().eval(), torch.randn(10, 6)
    expected = seen(LiveLook, model, x)
    for parameter in model.parameters():
        parameter.grad = None
        parameter.register_post_accumulate_grad_hook(lambda one: setattr(one, "grad", None))
    assert numbers(seen(LiveLook, model, x), 1) == numbers(expected, 1)


@pytest.mark.parametrize("kind", [LiveLook, ReplayLook])
def test_a_loss_of_something_else(kind):
    model, x = network(), torch.randn(10, 6)
    look = kind(model)
    look.enter(((x,), {}))
    look.leave(model(x))
    other = (torch.ones(3, requires_grad=True) * 2).sum()
    assert not look.reaches(other) if kind is LiveLook else not look.seen
    look.attach(other) if kind is ReplayLook else None
    with pytest.raises(TrainingError, match=r"call attach before it|does not depend on the output"):
        look.chain()
    look.drop()


def test_without_a_forward_pass():
    with pytest.raises(TrainingError, match="no forward pass was recorded"):
        LiveLook(network()).attach(torch.ones((), requires_grad=True) * 2)


def test_what_goes_wrong_in_recording_is_told_at_attach(monkeypatch):
    model, x = network(), torch.randn(10, 6)
    look = LiveLook(model)
    look.enter(((x,), {}))
    monkeypatch.setattr("evenkeel.chain.record.recorder.Operation", lambda **named: 1 / 0)
    output = model(x)
    look.leave(output)
    with pytest.raises(TrainingError, match="could not be recorded: division by zero"):
        look.attach(loss_of(output))


def test_an_error_of_the_model_is_the_models():
    model = network()
    look = LiveLook(model)
    look.enter(((torch.randn(10, 5),), {}))
    with pytest.raises(RuntimeError, match="shapes"):
        model(torch.randn(10, 5))
    look.leave(None)
    look.drop()


def test_passes_that_are_never_differentiated_are_let_go():
    model, x = network(), torch.randn(10, 6)
    look, alive = LiveLook(model), []
    for _ in range(4 * MOST_PASSES):
        look.enter(((x,), {}))
        output = model(x)
        look.leave(output)
        alive.append(weakref.ref(output))
    del output
    gc.collect()
    assert sum(one() is not None for one in alive) <= MOST_PASSES
    look.drop()


def test_hooks_of_a_replay_are_taken_back():
    model, x = network(), torch.randn(10, 6)
    look = ReplayLook(model)
    look.enter(((x,), {}))
    output = model(x)
    look.leave(output)
    assert output._backward_hooks
    look.drop()
    assert not output._backward_hooks
