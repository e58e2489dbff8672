import pytest
import torch

from evenkeel.observe.chain_look import by_hooks, by_repeating, by_replay
from observe._loops import small


def measured(method, model, inputs):
    """The chain of one step by one method, and whether a gradient reached the model."""
    method.look.enter(((inputs,), {}))
    output = model(inputs)
    method.look.leave(output)
    loss = output.square().mean()
    assert method.look.reaches(loss)
    method.look.attach(loss)
    before = method.reached()
    loss.backward()
    after = method.reached()
    method.look.ask()
    chain = method.look.chain()
    method.look.drop()
    return chain, (before, after)


def test_three_methods_measure_the_same_chain():
    model, inputs = small(), torch.randn(8, 6)
    hooked = by_hooks(model)
    first, _ = measured(hooked, model, inputs)
    echo = hooked.echo()
    assert echo is not None
    model.zero_grad()
    again, _ = measured(by_repeating(echo), model, inputs)
    model.zero_grad()
    replayed, (before, after) = measured(by_replay(model), model, inputs)
    assert (before, after) == (False, True)
    for other in (again, replayed):
        assert [link.name for link in other.links] == [link.name for link in first.links]
        # A replay knows the gain of the first link too: its inputs take a gradient.
        gains = [link.gain for link in first.links[1:]]
        assert [link.gain for link in other.links[1:]] == pytest.approx(gains, rel=1e-4)


def test_only_a_repeating_look_asks_for_the_form_of_its_inputs():
    model, inputs = small(), torch.randn(8, 6)
    hooked = by_hooks(model)
    measured(hooked, model, inputs)
    echo = hooked.echo()
    assert echo is not None
    other = ((torch.randn(8, 6), torch.randn(1)), {})
    assert by_hooks(model).fits(other) and by_replay(model).fits(other)
    assert by_repeating(echo).fits(((inputs,), {})) and not by_repeating(echo).fits(other)
    assert [one.repeats for one in (hooked, by_replay(model), by_repeating(echo))] == [False, False, True]
