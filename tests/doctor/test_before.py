"""What is known of a run before its first step."""

import pytest
import torch
from torch import nn

import evenkeel as ek
from evenkeel.doctor.before import measure_before


@pytest.mark.parametrize("members", [None, 4])
def test_a_started_head_loses_what_the_best_constant_loses(members: int | None) -> None:
    generator = torch.Generator().manual_seed(0)
    target = torch.randint(3, (200,), generator=generator)
    head = ek.heads.SingleLabel(16, classes=3, members=members)
    head.start(target)
    network = ek.Network(ek.nets.MLP(4, width=16, members=members), head)
    found = measure_before(network, {"numbers": torch.randn(200, 4, generator=generator)}, target)
    assert found.constant_loss is not None
    assert found.loss == pytest.approx(found.constant_loss, rel=0.05)


def test_an_output_far_off_shows() -> None:
    network = ek.Network(ek.nets.MLP(4, width=16), ek.heads.SingleLabel(16, classes=3))
    with torch.no_grad():
        for parameter in network.head.parameters():
            parameter.mul_(1e4)
    target = torch.tensor([0, 1, 2] * 20)
    found = measure_before(network, {"numbers": torch.randn(60, 4)}, target)
    assert found.constant_loss is not None and found.loss > 3 * found.constant_loss


def test_columns_are_measured_without_their_gaps() -> None:
    numbers = torch.tensor([[1.0, float("nan")], [3.0, 2.0], [5.0, 2.0]])
    network = ek.Network(ek.nets.MLP(2, width=8), ek.heads.Value(8))
    found = measure_before(network, {"numbers": numbers}, torch.zeros(3))
    assert found.input_scales == pytest.approx((3.4157, 2.0), rel=1e-3)
    assert found.input_spreads == pytest.approx((1.633, 0.0), rel=1e-3)


def test_mode_and_random_state_are_put_back() -> None:
    network = ek.Network(ek.nets.MLP(4, width=8, dropout=0.5), ek.heads.Value(8)).train()
    before = torch.get_rng_state()
    measure_before(network, {"numbers": torch.zeros(8, 4)}, torch.zeros(8))
    assert network.training and torch.equal(torch.get_rng_state(), before)


def test_a_batch_norm_is_seen_as_in_the_first_step_and_left_as_it_was() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8))
    network = ek.Network(net, ek.heads.Value(8)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    inputs, target = {"input": 100 * torch.randn(64, 4)}, torch.randn(64)
    network.head.start(target)
    found = measure_before(network, inputs, target)
    assert found.loss == pytest.approx(found.constant_loss, rel=0.2), "averages of nothing would have scaled it by 100"
    assert network.training and all(
        torch.equal(value, before[name]) for name, value in network.state_dict().items() if "net" in name
    )


def test_a_head_with_weights_in_its_loss_keeps_no_gradient_and_draws_the_same_codes() -> None:
    network = ek.Network(ek.nets.MLP(4, width=8), ek.heads.Latent(8, units=2, decoder=nn.Linear(2, 4), loss="mse"))
    numbers = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        found.append(measure_before(network, {"numbers": numbers}, numbers))
    assert all(parameter.grad is None for parameter in network.parameters())
    assert found[0] == found[1]
