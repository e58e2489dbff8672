"""kappa against the whole Jacobian of the operation, built column by column."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from evenkeel.chain.graph.geometry import bias_square, contracted, coverage, kappa, main_weight
from evenkeel.chain.record.overwritten import Overwritten
from evenkeel.chain.record.recorder import Recorder

CASES = {
    "linear": (nn.Linear(6, 4), (1, 6)),
    "linear without bias, three axes": (nn.Linear(6, 4, bias=False), (1, 3, 6)),
    "convolution": (nn.Conv2d(2, 3, 3), (1, 2, 6, 6)),
    "padding and stride": (nn.Conv2d(2, 4, 3, stride=2, padding=1), (1, 2, 7, 7)),
    "dilation": (nn.Conv1d(2, 3, 3, dilation=2, padding=2), (1, 2, 9)),
    "groups": (nn.Conv1d(4, 4, 3, groups=2, padding=1), (1, 4, 8)),
    "transposed": (nn.ConvTranspose1d(3, 2, 4, stride=2, padding=1), (1, 3, 5)),
}


def recorded(model, x):
    recorder = Recorder(model, [x], len(x), Overwritten())
    with recorder.calls, recorder:
        model(x)
    return next(operation for operation in recorder.operations if operation.kind in ("linear", "convolution"))


@pytest.mark.parametrize("name", CASES)
def test_kappa_is_the_mean_square_of_the_jacobian(name):
    model, shape = CASES[name]
    with torch.no_grad():
        model.weight.fill_(0.5)  # theory averages over weights: with equal ones the average is exact
    x = torch.randn(shape, requires_grad=True)
    jacobian = torch.autograd.functional.jacobian(model, x).flatten()
    assert kappa(recorded(model, x)) == pytest.approx(jacobian.square().sum().item() / model(x).numel(), rel=1e-5)


def test_weights_that_come_first_and_batched_weights():
    class First(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(5, 6))

        def forward(self, x):
            return self.weight @ x

    x = torch.randn(6, 2, requires_grad=True)
    operation = recorded(First(), x)
    assert contracted(operation, main_weight(operation)) == 6
    assert kappa(operation) == pytest.approx(operation.weights[0].tensor.square().sum().item() / 5, rel=1e-5)


def test_bias_and_main_weight_are_told_apart():
    layer, x = nn.Linear(3, 2), torch.ones(4, 3, requires_grad=True)
    operation = recorded(layer, x)
    assert main_weight(operation).name == "weight"
    assert bias_square(operation) == pytest.approx(layer.bias.square().mean().item(), rel=1e-6)
    assert coverage(operation, layer.weight) == 1.0


def test_no_rule_no_number():
    layer, x = nn.Bilinear(3, 3, 2), torch.ones(4, 3, requires_grad=True)
    model = nn.Sequential()
    model.layer = layer
    model.forward = lambda x: layer(x, F.relu(x))
    assert kappa(recorded(model, x)) is None
