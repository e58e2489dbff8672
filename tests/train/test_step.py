import copy

import pytest
import torch

from _small import same, small_dataset, small_network, small_plan
from evenkeel.train.optimizers import build_optimizer
from evenkeel.train.step import TrainingStep, gradient_norm

TASK = "regression"


@pytest.fixture
def data():
    return small_dataset(TASK)


@pytest.fixture
def network(data):
    return small_network(TASK, data, dropout=0.0).train()


def batch(data, rows=slice(0, 32)):
    return {name: value[rows] for name, value in data.inputs.items()}, data.target[rows]


def step_of(network, clip, **settings):
    plan = small_plan(TASK, learning_rate=1e-2, **settings)
    return TrainingStep(network, build_optimizer(network, plan), clip)


@pytest.mark.parametrize("clip", [1e-3, 0.1, 1e6, None])
def test_a_step_is_torchs_own_clipping_and_unfused_adamw(data, network, clip):
    """Two steps, so that the moments count too; and where clipping acts, it is seen to act."""
    twin, free = copy.deepcopy(network), copy.deepcopy(network)
    groups = build_optimizer(twin, small_plan(TASK, learning_rate=1e-2)).param_groups
    plain = torch.optim.AdamW(
        [{"params": group["params"], "weight_decay": group["weight_decay"]} for group in groups], lr=1e-2, foreach=False
    )
    step, unclipped = step_of(network, clip), step_of(free, None)
    for rows in (slice(0, 32), slice(32, 64)):
        result = step(*batch(data, rows))
        unclipped(*batch(data, rows))
        twin.loss(*batch(data, rows)).backward()
        norm = torch.nn.utils.clip_grad_norm_(twin.parameters(), clip if clip is not None else 1e30)
        plain.step()
        plain.zero_grad()
        torch.testing.assert_close(result.gradient_norm, norm)
    # AdamW divides by the root of tiny moments: a rounding of the gradient may move a weight by a share of the rate.
    for name, value in twin.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value, rtol=1e-4, atol=1e-5, msg=name)
    moved = [torch.allclose(a, b, atol=1e-6) for a, b in zip(network.parameters(), free.parameters(), strict=True)]
    assert all(moved) == (clip in (1e6, None))


def test_clipping_bounds_what_reaches_sgd(data, network):
    """Under SGD the first update is rate times gradient: its norm is rate times clip, exactly."""
    before = [p.detach().clone() for p in network.parameters()]
    plan = small_plan(TASK, optimizer="sgd", learning_rate=1.0, weight_decay=0.0)
    result = TrainingStep(network, build_optimizer(network, plan), 0.01)(*batch(data))
    moved = torch.stack([(p.detach() - b).norm() for p, b in zip(network.parameters(), before, strict=True)]).norm()
    assert result.gradient_norm > 0.1
    assert moved.item() == pytest.approx(0.01 * 1.9, rel=1e-3), "nesterov: 1 + momentum times the gradient"


def test_a_non_finite_gradient_leaves_weights_and_moments_alone(data, network):
    step = step_of(network, 1.0)
    step(*batch(data))
    weights = copy.deepcopy(network.state_dict())
    moments = copy.deepcopy(step.optimizer.state_dict()["state"])
    for bad in (torch.nan, torch.inf):
        result = step(*batch(data), torch.full((32,), bad))
        assert result.skipped == 1 and not result.gradient_norm.isfinite()
    assert same(weights, network.state_dict())
    now = step.optimizer.state_dict()["state"]
    assert all(same(moments[index], now[index]) for index in moments)
    assert step(*batch(data)).skipped == 0
    assert not same(weights, network.state_dict())


def test_a_first_step_that_is_skipped_counts_for_nothing(data, network):
    twin = copy.deepcopy(network)
    late, early = step_of(network, 1.0), step_of(twin, 1.0)
    assert late(*batch(data), torch.full((32,), torch.nan)).skipped == 1
    for rows in (slice(0, 32), slice(32, 64)):
        late(*batch(data, rows))
        early(*batch(data, rows))
    assert same(network.state_dict(), twin.state_dict())


def test_gradients_do_not_accumulate(data, network):
    step = step_of(network, None)
    step(*batch(data))
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_frozen_layer_stays_and_the_rest_learns(data, network):
    for parameter in network.net.first.parameters():
        parameter.requires_grad_(False)
    before = copy.deepcopy(network.state_dict())
    step_of(network, 1.0)(*batch(data))
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert not any(name.startswith("net.first") for name in changed)
    assert "head.linear.weight" in changed and "net.blocks.0.widen.weight" in changed


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_hook_of_the_optimizer_is_called_in_every_step_and_changes_nothing(data, network, optimizer):
    twin, seen = copy.deepcopy(network), []
    hooked, plain = step_of(network, 0.1, optimizer=optimizer), step_of(twin, 0.1, optimizer=optimizer)
    hooked.optimizer.register_step_post_hook(lambda *given: seen.append(1))
    for first in range(0, 200, 32):
        hooked(*batch(data, slice(first, first + 32)))
        plain(*batch(data, slice(first, first + 32)))
    assert len(seen) == 7 and same(network.state_dict(), twin.state_dict())


def test_gradients_left_by_somebody_else_are_added_as_ever(data, network):
    """What a step by autograd does is what every step does."""
    step = step_of(network, None, optimizer="sgd", weight_decay=0.0)
    for _ in range(4):
        norm = step(*batch(data)).gradient_norm
    network.head.linear.bias.grad = torch.full((2, 1), 1e6)
    assert step(*batch(data)).gradient_norm > 1e6 > norm


def test_what_is_measured_is_of_the_batch_before_the_update(data, network):
    expected = network.loss(*batch(data)).detach()
    result = step_of(network, None)(*batch(data))
    torch.testing.assert_close(result.loss, expected)
    assert network.loss(*batch(data)) < expected


def test_the_norm_is_over_all_parameters_with_a_gradient():
    left, right, idle = (torch.nn.Parameter(torch.zeros(size)) for size in (3, 4, 5))
    left.grad, right.grad = torch.full((3,), 2.0), torch.full((4,), -1.0)
    assert gradient_norm([left, right, idle]).item() == pytest.approx(4.0)
