import pytest
import torch

from evenkeel.chain.record.gradients import Given


@pytest.mark.parametrize("lying", [None, 5.0])
@pytest.mark.parametrize("cleared", [False, True])
def test_what_one_pass_gives(lying, cleared):
    """Whatever lies there before, and also where an optimizer inside the pass clears it."""
    weight = torch.ones(3, requires_grad=True)
    weight.grad = None if lying is None else torch.full((3,), lying)
    if cleared:
        weight.register_post_accumulate_grad_hook(lambda one: setattr(one, "grad", None))
    given = Given()
    with given.of({"w": weight}):
        (weight * 2).sum().backward()
    assert given.gradients["w"].tolist() == [2.0, 2.0, 2.0]


def test_its_hooks_are_taken_back():
    weight = torch.ones(3, requires_grad=True)
    weight.grad = torch.zeros(3)
    given = Given()
    with given.of({"w": weight}):
        pass
    (weight * 2).sum().backward()
    assert given.gradients == {}


def test_a_parameter_without_a_gradient():
    used, unused, given = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True), Given()
    with given.of({"used": used, "unused": unused}):
        used.sum().backward()
    assert given.gradients["unused"] is None and given.gradients["used"] is not None
