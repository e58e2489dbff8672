import math

import pytest
import torch

from _small import small_dataset, small_network, small_plan
from evenkeel.train.optimizers import FLAT, LOWEST, build_optimizer, rate_share, set_rate
from evenkeel.train.step import TrainingStep

TASK = "regression"


def adam_twin(weight, gradients, rate, decay=0.0):
    """The equations as they are written, in float64: u the moving mean of the gradient, v that of its square."""
    u, v = torch.zeros_like(weight), torch.zeros_like(weight)
    for t, g in enumerate(gradients, start=1):
        u = 0.9 * u + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        step = (u / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
        weight = weight - rate * decay * weight - rate * step
    return weight


@pytest.mark.parametrize("kind, decay", [("adam", 0.0), ("adamw", 0.1)])
def test_twenty_steps_agree_with_the_written_equations(kind, decay):
    network = torch.nn.Linear(3, 4).double()
    plan = small_plan(TASK, optimizer=kind, learning_rate=0.01, weight_decay=decay)
    optimizer = build_optimizer(network, plan)
    start = network.weight.detach().clone()
    gradients = (
        torch.randn(20, 4, 3, dtype=torch.float64) * torch.logspace(-3, 3, 20, dtype=torch.float64)[:, None, None]
    )
    for gradient in gradients:
        network.weight.grad = gradient.clone()
        optimizer.step()
    torch.testing.assert_close(
        network.weight.detach(), adam_twin(start, gradients, 0.01, decay), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e5])
def test_adams_first_step_is_the_learning_rate_whatever_the_gradient(scale):
    network = torch.nn.Linear(3, 4)
    optimizer = build_optimizer(network, small_plan(TASK, optimizer="adam", learning_rate=0.01, weight_decay=0.0))
    before = network.weight.detach().clone()
    network.weight.grad = scale * torch.randn(4, 3).sign() * (1 + torch.rand(4, 3))
    direction = network.weight.grad.sign()
    optimizer.step()
    torch.testing.assert_close(network.weight.detach() - before, -0.01 * direction, rtol=2e-3, atol=0)


@pytest.mark.parametrize("kind", ["adamw", "adam", "sgd"])
@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_weight_decay_is_for_matrices_only(kind, norm):
    network = small_network(TASK, norm=norm)
    optimizer = build_optimizer(network, small_plan(TASK, optimizer=kind, weight_decay=0.3))
    decayed = {id(p) for group in optimizer.param_groups if group["weight_decay"] == 0.3 for p in group["params"]}
    names = {name for name, parameter in network.named_parameters() if id(parameter) in decayed}
    matrices = {"net.first.weight", "net.bends.weight", "net.vectors.weight", "head.linear.weight"}
    inner = {"net.blocks.0.widen.weight", "net.blocks.0.narrow.weight"}
    assert names - {"net.vectors.weight"} == (matrices | inner) - {"net.vectors.weight"}
    everything = [p for group in optimizer.param_groups for p in group["params"]]
    assert len(everything) == len(list(network.parameters())) == len({id(p) for p in everything})


def test_decay_shrinks_what_has_no_gradient_of_its_own():
    network = torch.nn.Linear(3, 4)
    optimizer = build_optimizer(network, small_plan(TASK, learning_rate=0.1, weight_decay=0.5))
    before = network.weight.detach().clone(), network.bias.detach().clone()
    network.weight.grad, network.bias.grad = torch.zeros(4, 3), torch.zeros(4)
    optimizer.step()
    torch.testing.assert_close(network.weight.detach(), before[0] * 0.95)
    assert torch.equal(network.bias.detach(), before[1])


def test_the_rate_rises_stays_and_falls():
    shares = [rate_share(step / 1000, 0.05) for step in range(1001)]
    rise, flat, fall = shares[:50], shares[50 : int(FLAT * 1000)], shares[int(FLAT * 1000) :]
    assert rise == sorted(rise) and rise[25] == pytest.approx(0.5) and min(rise) == LOWEST
    assert set(flat) == {1.0}
    assert fall == sorted(fall, reverse=True) and fall[0] == pytest.approx(1.0) and fall[-1] == pytest.approx(LOWEST)
    middle = 0.5 + 0.5 * FLAT
    assert rate_share(middle, 0.05) == pytest.approx(LOWEST + (1 - LOWEST) / 2), "half way down a cosine"


@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.9, 1.0])
@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0, 1.3])
def test_the_rate_is_sound_for_every_warmup_and_beyond_the_budget(warmup, progress):
    share = rate_share(progress, warmup)
    assert LOWEST <= share <= 1.0 and math.isfinite(share)


def test_a_new_rate_is_used_in_the_next_step():
    data, network = small_dataset(TASK), small_network(TASK, dropout=0.0)
    optimizer = build_optimizer(network, small_plan(TASK, optimizer="adam", weight_decay=0.0))
    step = TrainingStep(network, optimizer, None)
    set_rate(optimizer, 0.037)
    before = network.head.linear.weight.detach().clone()
    step(data.inputs, data.target)
    moved = (network.head.linear.weight.detach() - before).abs()
    assert moved.max().item() == pytest.approx(0.037, rel=1e-3)
