import math

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from evenkeel.chain.record.overwritten import Overwritten
from evenkeel.chain.record.recorder import Recorder
from evenkeel.chain.theory.activation import IDENTITY, Activation, activation_of, ideal_gain, weight_scale
from evenkeel.chain.theory.expected import moments


def recorded(function):
    """The last operation that a function of one tensor records."""
    x = torch.randn(4, 6, requires_grad=True)
    recorder = Recorder(torch.nn.Identity(), [x], 4, Overwritten())
    with recorder:
        function(x)
    return [operation for operation in recorder.operations if operation.name != "detach"][-1]


@pytest.mark.parametrize(("name", "scale", "gain"), [
    ("relu", 2.0, 1.0), ("tanh", 1.0, 1.0), ("selu", 1.0, 1.035), ("sigmoid", 3.41, 0.391), ("gelu", 2.35, 1.035),
    ("silu", 2.81, 1.033), ("softplus", 1.085, 0.564), ("elu", 1.55, 1.018),
])  # fmt: skip
def test_the_best_scale_and_its_gain(name, scale, gain):
    function = getattr(torch, name, None) or getattr(F, name)
    assert weight_scale(Activation(name, function)) == pytest.approx(scale, rel=2e-3)
    assert ideal_gain(Activation(name, function)) == pytest.approx(gain, rel=2e-3)


def test_no_activation_keeps_everything():
    assert (weight_scale(IDENTITY), ideal_gain(IDENTITY)) == pytest.approx((1.0, 1.0))


def test_the_function_keeps_its_own_arguments():
    leaky = activation_of(recorded(lambda x: F.leaky_relu(x, 0.3)))
    assert leaky.moments(2.0).slope_square == pytest.approx((1 + 0.09) / 2)
    assert leaky.moments(2.0).square == pytest.approx(2 * (1 + 0.09) / 2)
    assert activation_of(recorded(lambda x: F.leaky_relu(x, 0.3))) is leaky
    rough = activation_of(recorded(lambda x: F.gelu(x, approximate="none")))
    assert rough.moments(1.0).square == pytest.approx(moments(F.gelu, 1.0).square)
    learned = activation_of(recorded(lambda x: F.prelu(x, torch.nn.Parameter(torch.tensor([0.3])))))
    assert learned.moments(1.0).slope_square == pytest.approx((1 + 0.09) / 2)


def test_in_place_activations_have_the_same_theory():
    found = activation_of(recorded(lambda x: (x * 1.0).relu_()))
    assert found.moments(5.0).slope_square == pytest.approx(0.5)


def test_what_mixes_units_or_is_no_activation_has_no_function():
    assert activation_of(recorded(F.glu)) is None
    assert activation_of(recorded(lambda x: x @ torch.ones(6, 2))) is None


def test_homogeneous_moments_scale_without_a_second_quadrature():
    relu = Activation("relu", torch.relu)
    direct = moments(torch.relu, 9.0)
    assert relu.moments(9.0).mean == pytest.approx(direct.mean, rel=1e-6)
    assert relu.moments(9.0).square == pytest.approx(direct.square, rel=1e-6)
    assert math.isfinite(Activation("tanh", torch.tanh).moments(0.0).slope_square)


def test_an_operator_that_cannot_be_applied_to_numbers_alone_has_no_function():
    assert activation_of(recorded(F.logsigmoid)).moments(1.0).slope_square > 0  # returns a buffer as well
    found = recorded(torch.relu)
    found.function = None
    found.arguments = (None, "odd")
    assert activation_of(found) is None
