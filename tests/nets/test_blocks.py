import math

import numpy as np
import pytest
import torch
from scipy import integrate, special

from evenkeel.errors import RequestError
from evenkeel.nets.blocks import (
    ACTIVATIONS,
    GROUPS,
    Extent,
    UnitNorm,
    activation_named,
    check_choice,
    check_dropout,
    draw_,
    extent_of,
    matched_variance,
    shared_heads,
)

# Their derivatives, written out: the quadrature of the code differentiates the function itself.
SLOPES = {
    "relu": lambda z: (z > 0) * 1.0,
    "leaky_relu": lambda z: np.where(z > 0, 1.0, 0.01),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "sigmoid": lambda z: special.expit(z) * special.expit(-z),
    "selu": lambda z: 1.0507009873554805 * np.where(z > 0, 1.0, 1.6732632423543772 * np.exp(np.minimum(z, 0))),
    "elu": lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))),
    "gelu": lambda z: special.ndtr(z) + z * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi),
    "silu": lambda z: special.expit(z) * (1 + z * special.expit(-z)),
}


def expectation(slope):
    """E[slope(z)²] for z ~ N(0, 1), each half line by itself because of the kinks at 0."""

    def weighted(z):
        return slope(z) ** 2 * math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)

    return integrate.quad(weighted, -12, -1e-12)[0] + integrate.quad(weighted, 1e-12, 12)[0]


def test_relu_has_he_variance():
    assert matched_variance("relu") == pytest.approx(2.0, rel=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_gradient_keeps_its_size_by_an_independent_quadrature(name):
    assert matched_variance(name) * expectation(SLOPES[name]) == pytest.approx(1.0, rel=2e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_gradient_keeps_its_size_through_a_layer(name):
    """The same by experiment: 1000 units, standard normal in front of the activation."""
    z = torch.randn(200, 1000, requires_grad=True)
    weight = torch.randn(1000, 1000) * math.sqrt(matched_variance(name) / 1000)
    back = torch.randn(200, 1000)
    (activation_named(name)(z) @ weight).backward(back)
    assert (z.grad.norm() / back.norm()).item() == pytest.approx(1.0, rel=0.02)


def test_another_activation_is_refused():
    with pytest.raises(RequestError, match="no activation is called 'swish'; there are: relu, leaky_relu"):
        activation_named("swish")


@pytest.mark.parametrize("members", [None, 3])
@pytest.mark.parametrize("kind", ["layer", "group", "batch"])
def test_a_norm_normalises_over_its_axes_and_no_others(kind, members):
    """Against the plain formula in float64; scale and shift of each unit (and member) come after."""
    norm = UnitNorm(kind, 16, members=members)
    x = torch.randn(*(() if members is None else (members,)), 20, 16) * 3 + 5
    found = norm(x).double()
    groups = x.double().unflatten(-1, (GROUPS, -1))
    axes = {"layer": (-1, -2), "group": (-1,), "batch": (-3,)}[kind]
    mean, variance = groups.mean(axes, keepdim=True), groups.var(axes, keepdim=True, correction=0)
    expected = ((groups - mean) / (variance + 1e-5).sqrt()).flatten(-2)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["layer", "group"])
def test_layer_and_group_norm_look_at_one_example_alone(kind):
    norm, x = UnitNorm(kind, 16), torch.randn(20, 16)
    torch.testing.assert_close(norm(x)[:3], norm(x[:3]))
    norm.eval()
    torch.testing.assert_close(norm(x)[:3], norm(x[:3]))


@pytest.mark.parametrize("kind", ["layer", "group"])
@pytest.mark.parametrize("members", [None, 3])
def test_scale_and_shift_belong_to_each_unit_and_member(kind, members):
    norm = UnitNorm(kind, 16, members=members)
    x = torch.randn(*(() if members is None else (members,)), 5, 16)
    plain = norm(x)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    torch.testing.assert_close(norm(x), plain * norm.weight + norm.bias)
    assert norm.weight.numel() == 16 * (members or 1)


@pytest.mark.parametrize("members", [None, 2])
def test_batch_norm_predicts_from_its_moving_averages(members):
    norm = UnitNorm("batch", 4, members=members)
    leading = () if members is None else (members,)
    mean, variance = torch.zeros(*leading, 4), torch.ones(*leading, 4)
    for _ in range(5):
        x = torch.randn(*leading, 30, 4) * 2 + 7
        norm(x)
        mean += 0.1 * (x.mean(-2) - mean)
        variance += 0.1 * (x.var(-2) - variance)
    norm.eval()
    one = torch.randn(*leading, 1, 4)
    torch.testing.assert_close(norm(one), (one - mean.unsqueeze(-2)) / (variance.unsqueeze(-2) + 1e-5).sqrt())


def test_what_does_not_fit_is_refused_with_the_reason():
    with pytest.raises(RequestError, match=r"instance norm needs an axis .* a table row has none; try norm='layer'"):
        UnitNorm("instance", 16)
    with pytest.raises(RequestError, match="no norm is called 'lair'; there are: layer, batch, group"):
        UnitNorm("lair", 16)
    with pytest.raises(RequestError, match="a width that is a multiple of 8, got 12"):
        UnitNorm("group", 12)


@pytest.mark.parametrize(
    "layer, fan_in",
    [(torch.nn.Linear(400, 300), 400), (torch.nn.Conv2d(40, 300, 3), 360), (torch.nn.Linear(9, 2000, bias=False), 9)],
)
def test_a_layer_is_drawn_with_the_variance_of_its_fan_in(layer, fan_in):
    assert draw_(layer, 2.0) is layer
    assert layer.weight.var().item() == pytest.approx(2.0 / fan_in, rel=0.05)
    assert layer.bias is None or layer.bias.abs().max() == 0


def test_numbers_override_the_size_of_a_name():
    sizes = {"small": Extent(width=4, depth=2), "base": Extent(width=8, depth=3)}
    assert extent_of(sizes, "base", None, None) == Extent(width=8, depth=3)
    assert extent_of(sizes, "small", 5, None) == Extent(width=5, depth=2)
    assert extent_of(sizes, "small", None, 7) == Extent(width=4, depth=7)
    with pytest.raises(
        RequestError, match="no size is called 'tiny'; there are: small, base; or give width= and depth="
    ):
        extent_of(sizes, "tiny", 5, 5)
    with pytest.raises(RequestError, match="at least one unit and one block; got width=5, depth=0"):
        extent_of(sizes, "small", 5, 0)


def test_choices_and_shares_that_cannot_be_are_refused():
    check_choice("colour", None, ("red", None))
    with pytest.raises(RequestError, match="colour must be one of 'red', None; got 'blue'"):
        check_choice("colour", "blue", ("red", None))
    check_dropout(0.0)
    for share in (-0.5, 1.0):
        with pytest.raises(RequestError, match=rf"dropout must be in \[0, 1\), got {share:g}"):
            check_dropout(share)


def test_heads_share_a_width_evenly():
    assert (shared_heads(96, None, 32), shared_heads(16, None, 32), shared_heads(96, 4, 32)) == (3, 1, 4)
    for width, asked in ((50, None), (64, 5), (64, 0)):
        with pytest.raises(RequestError, match=f"share the width evenly: width={width} .* a multiple of 8"):
            shared_heads(width, asked, 8)
