import torch

from evenkeel.observe.model_outputs import ModelOutputs


def test_a_pass_that_comes_to_an_output():
    uses, x = ModelOutputs(), torch.ones(3, requires_grad=True)
    output, other = {"a": x * 2, "b": (x.detach(), x * 3)}, (x * 5).sum()
    uses.follow(output)
    uses.begin()
    other.backward()
    assert not uses.reached_model and uses.gradients == {}
    uses.begin()
    output["b"][1].square().sum().backward()
    assert uses.reached_model
    assert {place: gradient.tolist() for place, gradient in uses.gradients.items()} == {1: [6.0, 6.0, 6.0]}


def test_with_no_output_known_every_pass_counts():
    uses = ModelOutputs()
    uses.begin()
    assert uses.reached_model
    uses.follow((1.0, "text"))
    assert uses.reached_model


def test_cleared_hooks_are_gone():
    uses, x = ModelOutputs(), torch.ones(3, requires_grad=True)
    output = x * 2
    uses.follow(output)
    uses.clear()
    output.sum().backward()
    assert uses.gradients == {} and not output._backward_hooks


def test_a_parameter_as_an_output_gets_no_hook():
    uses, x = ModelOutputs(), torch.ones(3, requires_grad=True)
    uses.follow((x, x * 2))
    assert not x._backward_hooks
    x.grad = None
