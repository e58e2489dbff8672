import math

import torch
from torch import nn

from evenkeel.chain.record.capture import capture
from evenkeel.chain.record.overwritten import Overwritten


def test_what_a_capture_holds():
    model, x = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.randn(5, 3)
    found = capture(model, nn.functional.cross_entropy, (x, torch.zeros(5).long()), Overwritten())
    assert [operation.name for operation in found.operations if operation.weights or operation.name == "relu"] == [
        "addmm",
        "relu",
        "addmm",
    ]
    assert {operation.phase for operation in found.operations} == {"model", "output", "loss"}
    assert found.batch == 5 and len(found.leaves) == len(found.entries) == len(found.outputs) == 1
    assert math.isclose(found.known_loss, math.log(2), rel_tol=1e-6)
    names = {node.name(): operation.name for node, operation in found.node_operations().items()}
    assert names["AddmmBackward0"] == "addmm" and names["ReluBackward0"] == "relu"


def test_the_mark_receives_the_gradient_of_the_loss_alone():
    """The output is also a feature that the model uses further: dL/dy must not mix the two."""

    class Twice(nn.Module):
        def forward(self, x):
            y = 2 * x
            return y, (y * 3).sum()

    x = torch.ones(2, 1)
    found = capture(Twice(), lambda output, _: output[0].sum() + output[1], (x, None), Overwritten())
    mark = found.outputs[0]
    gradient = torch.autograd.grad(found.loss, mark, retain_graph=True)[0]
    assert torch.equal(gradient, torch.ones(2, 1))


def test_a_loss_that_refuses_zeros_has_no_known_value():
    def picky(output, _):
        assert bool((output != 0).all())
        return output.sum()

    assert capture(nn.Linear(2, 1), picky, (torch.ones(3, 2), None), Overwritten()).known_loss is None


def test_the_caller_finds_its_target_as_it_was():
    """A loss that writes to its target: the second look, at an output of zeros, gets a copy of it."""

    def clamping(output, target):
        return nn.functional.mse_loss(output, target.clamp_(-0.1, 0.1))

    target, kept = torch.randn(3, 1), Overwritten()
    before = target.clone()
    found = capture(nn.Linear(2, 1), clamping, (torch.ones(3, 2), target), kept)
    assert math.isclose(found.known_loss, before.clamp(-0.1, 0.1).square().mean().item(), rel_tol=1e-6)
    found.loss.backward()  # the graph is whole: its saved target was written to once, before it was saved
    kept.restore()
    assert torch.equal(target, before)
