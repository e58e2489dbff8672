import itertools
import math

import pytest
import torch
from torch.nn.functional import cosine_similarity

from _unchecked import unchecked
from evenkeel.errors import RequestError
from evenkeel.nets import MLP
from evenkeel.nets.blocks import ACTIVATIONS
from evenkeel.nets.mlp import Residual

DEPTHS = (2, 8, 32)
# The offset of the sigmoid, 0.5 in every unit, is most of its features whatever stands before it.
ALIKE = {"sigmoid"}
# What a plain stack cannot do, and a reason for residual nets: sigmoid's slope is below 1/4 at every depth, and what is
# kept on average by one layer need not be by 32 (the width of the pre-activations wanders off from 1).
FAR = {("sigmoid", 8), ("sigmoid", 32)}
FAR_BY_NORM = {"layer": FAR | {("tanh", 32)}, None: FAR | {("silu", 32)}}


def gradients_of_blocks(net, inputs):
    """rms of the gradient after each block, and the features."""
    found = []

    def keep(module, given, output):
        output.retain_grad()
        found.append(output)

    hooks = [block.register_forward_hook(keep) for block in net.blocks]
    features = net(inputs)
    features.backward(torch.randn_like(features))
    for hook in hooks:
        hook.remove()
    return torch.stack([output.grad.square().mean().sqrt() for output in found]), features.detach()


def similarity(features):
    """Mean cosine between features of different inputs."""
    alike = cosine_similarity(features[:, None], features[None], dim=-1)
    return alike[~torch.eye(len(features), dtype=torch.bool)].mean().item()


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    "activation, norm",
    [*((name, "layer") for name in ACTIVATIONS), ("relu", None), ("relu", "batch"), ("silu", "group")],
)
def test_a_residual_net_starts_with_an_even_gradient_and_open_eyes(activation, norm, depth):
    net = MLP(16, width=64, depth=depth, activation=activation, norm=norm)
    gradient, features = gradients_of_blocks(net, torch.randn(64, 16))
    ratio = gradient / gradient[-1]
    assert ratio.min() > 0.5 and ratio.max() < 2.5
    assert (similarity(features) < 0.6) == (activation not in ALIKE)


@pytest.mark.parametrize("norm", FAR_BY_NORM)
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_plain_net_keeps_its_gradient_but_for_the_known_cases(activation, depth, norm):
    net = MLP(16, width=64, depth=depth, skip="plain", activation=activation, norm=norm, members=8)
    gradient, _ = gradients_of_blocks(net, torch.randn(64, 16))
    ratio = gradient / gradient[-1]
    kept = ratio.min() > 0.1 and ratio.max() < 10
    assert kept == ((activation, depth) not in FAR_BY_NORM[norm]), (ratio.min(), ratio.max())


def test_a_deep_plain_relu_net_goes_blind_where_a_residual_one_does_not():
    inputs = torch.randn(64, 16)
    plain, residual = (similarity(MLP(16, width=64, depth=32, skip=skip)(inputs)) for skip in ("plain", "residual"))
    assert plain > 0.9 and residual < 0.6


def test_a_plain_batch_norm_relu_stack_explodes_as_theory_says():
    """By sqrt(pi / (pi - 1)) = 1.211 a layer (Yang et al. 2019, arXiv:1902.08129): known, not hidden."""
    net = MLP(16, width=256, depth=20, skip="plain", norm="batch")
    gradient, _ = gradients_of_blocks(net, torch.randn(256, 16))
    per_layer = (gradient[0] / gradient[-1]).item() ** (1 / 19)
    assert per_layer == pytest.approx(math.sqrt(math.pi / (math.pi - 1)), rel=0.03)


@pytest.mark.parametrize("skip, norm", [*itertools.product(["residual", "plain"], ["layer", "group", "batch", None])])
def test_an_ensemble_is_its_members_side_by_side(skip, norm):
    """Each member's weights, put into a single network in float64, give that member's features."""
    options = {"width": 16, "skip": skip, "norm": norm, "edges": [torch.linspace(-1, 1, 4)] * 3, "flagged": (1,)}
    many = MLP(3, levels=(4, 2), members=3, **options).double()
    numbers, codes = torch.randn(20, 3, dtype=torch.float64), torch.randint(0, 2, (20, 2))
    numbers[3, 1] = torch.nan
    found = many(numbers, codes)
    assert found.shape == (3, 20, 16)
    for member in range(3):
        single = MLP(3, levels=(4, 2), **options).double()
        single.load_state_dict(state_of(many, single, member))
        torch.testing.assert_close(single(numbers, codes), found[member])


def state_of(many, single, member):
    """The part of an ensemble's state that is one member's, in the shapes of a single network."""
    whole, wanted = many.state_dict(), single.state_dict()
    found = {}
    for name, value in wanted.items():
        theirs = whole[name]
        if theirs.shape == value.shape:
            found[name] = theirs
        elif theirs.shape[0] == 3:
            found[name] = theirs[member].reshape(value.shape)
        elif "vectors.weight" in name:
            found[name] = theirs.view(len(theirs), 3, -1)[:, member]
        else:  # batch norm keeps the units of all members in one row
            found[name] = theirs.view(3, -1)[member]
    return found


def test_members_learn_apart():
    net = MLP(4, width=8, members=2)
    net(torch.randn(6, 4))[0].sum().backward()
    for name, parameter in net.named_parameters():
        if parameter.grad is not None and parameter.shape[0] == 2:
            assert parameter.grad[1].abs().max() == 0, name
    assert net.blocks[0].widen.weight.grad[0].abs().max() > 0


@pytest.mark.parametrize("skip", ["residual", "plain"])
@pytest.mark.parametrize("members", [None, 2])
def test_dropout_acts_in_training_and_is_off_in_prediction(skip, members):
    net, x = MLP(4, width=64, dropout=0.5, skip=skip, members=members), torch.randn(10, 4)
    assert not torch.equal(net(x), net(x))
    net.eval()
    assert torch.equal(net(x), net(x))
    silent = MLP(4, width=64, dropout=0.0, skip=skip, members=members)
    silent.load_state_dict(net.state_dict())
    torch.testing.assert_close(net(x), silent(x))


def test_dropout_keeps_the_mean_and_silences_its_share():
    block = Residual(512, "relu", None, 0.3, None, share=1.0)
    torch.nn.init.eye_(block.widen.weight)
    torch.nn.init.eye_(block.narrow.weight)
    branch = block(torch.ones(200, 512)) - 1
    assert (branch == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert branch.mean().item() == pytest.approx(1.0, abs=0.01)


def test_a_residual_block_without_its_branch_is_the_identity():
    block, x = Residual(16, "relu", "layer", 0.0, None, share=1.0), torch.randn(5, 16, requires_grad=True)
    torch.nn.init.zeros_(block.narrow.weight)
    assert torch.equal(block(x), x)
    back = torch.randn(5, 16)
    block(x).backward(back)
    assert torch.equal(x.grad, back), "the gradient passes unchanged"


def test_the_bends_start_at_zero_and_learn():
    edges = [torch.linspace(-1, 1, 9)] * 2
    bent, x = MLP(2, width=16, edges=edges), torch.randn(30, 2)
    straight = MLP(2, width=16)
    straight.load_state_dict(bent.state_dict(), strict=False)
    torch.testing.assert_close(bent(x), straight(x))
    bent(x).square().sum().backward()
    assert bent.bends.weight.grad.norm() > 0


def test_a_missing_number_is_the_median_with_a_flag():
    net = MLP(2, width=16, flagged=(1,))
    assert net.first.inputs == 3
    numbers = torch.tensor([[0.5, torch.nan], [0.5, 0.0]])
    missing, present = net(numbers)
    assert missing.isfinite().all() and not torch.equal(missing, present)
    net.first.weight.data[2] = 0.0
    missing, present = net(numbers)
    torch.testing.assert_close(missing, present)


def test_categories_reach_the_features():
    net = MLP(0, levels=(5,), width=16)
    features = net(torch.zeros(2, 0), torch.tensor([[1], [4]]))
    assert not torch.allclose(features[0], features[1])
    with pytest.raises(RequestError, match="built with category columns"):
        net(torch.zeros(2, 0))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"numbers": 0}, "at least one column"),
        ({"width": 0}, "width=0"),
        ({"depth": 0}, "depth=0"),
        ({"members": 0}, "members=0"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1"),
        ({"skip": "dense"}, "skip must be 'residual' or 'plain', got 'dense'"),
        ({"activation": "swish"}, "no activation is called 'swish'"),
        ({"norm": "instance"}, "a table row has none"),
    ],
)
def test_what_makes_no_network_is_refused(options, message):
    with unchecked(), pytest.raises(RequestError, match=message):
        MLP(**{"numbers": 4, **options})
