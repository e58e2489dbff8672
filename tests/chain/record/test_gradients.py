import pytest
import torch

from evenkeel.chain.record.gradients import PassGradients


@pytest.mark.parametrize("lying", [None, 5.0])
@pytest.mark.parametrize("cleared", [False, True])
def test_what_one_pass_gives(lying, cleared):
    """Whatever lies there before, and also where an optimizer inside the pass clears it."""
    weight = torch.ones(3, requires_grad=True)
    weight.grad = None if lying is None else torch.full((3,), lying)
    if cleared:
        weight.register_post_accumulate_grad_hook(lambda one: setattr(one, "grad", None))
    gradients = PassGradients()
    with gradients.of({"w": weight}):
        (weight * 2).sum().backward()
    assert gradients.gradients["w"].tolist() == [2.0, 2.0, 2.0]


def test_its_hooks_are_taken_back():
    weight = torch.ones(3, requires_grad=True)
    weight.grad = torch.zeros(3)
    gradients = PassGradients()
    with gradients.of({"w": weight}):
        pass
    (weight * 2).sum().backward()
    assert gradients.gradients == {}


def test_a_parameter_without_a_gradient():
    used, unused, gradients = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True), PassGradients()
    with gradients.of({"used": used, "unused": unused}):
        used.sum().backward()
    assert gradients.gradients["unused"] is None and gradients.gradients["used"] is not None
