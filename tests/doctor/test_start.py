"""Measurements before the first step, against what is known of them."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from doctor._setups import blobs, line, net
from evenkeel.doctor.start import measure_start
from evenkeel.doctor.working_copy import working_copy
from evenkeel.setup import make_setup
from evenkeel.symptoms.history import Start

CE, MSE = functional.cross_entropy, functional.mse_loss


def start_of(model: nn.Module, loss, batches: list) -> Start:
    """With Adam, ten reference steps."""
    return measure_start(working_copy(make_setup(model, loss, batches)), [0, 1] * 5, 0)


def test_classes_start_near_the_logarithm_of_their_number() -> None:
    found = start_of(net(2, 16, 3), CE, blobs())
    assert found.known_loss == pytest.approx(math.log(3), abs=1e-5)
    assert found.loss == pytest.approx(math.log(3), abs=0.3)
    assert found.constant_loss is not None and found.constant_loss <= found.known_loss
    assert found.output_operation is None and found.output_floor is None and found.complaint == ""


def test_one_batch_can_be_fitted_by_a_sound_net_and_not_by_a_frozen_one() -> None:
    sound = start_of(net(2, 32, 3), CE, blobs())
    frozen = net(2, 32, 3)
    for parameter in [*frozen.parameters()][:-1]:
        parameter.requires_grad_(False)
    stuck = start_of(frozen, CE, blobs())
    assert sound.fitted_loss is not None and stuck.fitted_loss is not None and sound.single_loss is not None
    assert sound.fitted_loss < 0.8 * sound.single_loss
    assert sound.fitted_loss < stuck.fitted_loss


def test_a_second_softmax_is_named_and_measured() -> None:
    found = start_of(net(2, 16, 3, last=nn.Softmax(1)), CE, blobs())
    assert found.output_operation == "softmax"
    assert found.output_floor is not None and found.free_floor is not None
    assert found.output_floor > 0.4 and found.free_floor < 0.01
    assert "softmax" in found.complaint


def test_a_loss_without_an_end_on_free_outputs_is_not_asked() -> None:
    def by_hand(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return -output.gather(1, target[:, None]).log().mean()

    found = start_of(net(2, 16, 3, last=nn.Softmax(1)), by_hand, blobs())
    assert found.free_floor is None
    assert found.output_floor is not None and found.output_floor < 1e-2


def test_scales_of_data_and_target() -> None:
    batches = [(x * torch.tensor([1.0, 100.0, 1.0, 1.0]) + 5, y + 1000) for x, y in line(scale=3.0)]
    found = start_of(net(4, 8, 1), MSE, batches)
    assert found.input_spreads[1] == pytest.approx(100, rel=0.2)
    assert found.input_scales[0] == pytest.approx(math.sqrt(26), rel=0.2)
    assert found.target_mean == pytest.approx(1000, rel=0.01)
    assert found.target_spread == pytest.approx(3.0 * math.sqrt(1.25), rel=0.2)


def test_a_sum_over_the_batch_is_told_from_a_mean() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(8, 4, generator=generator).repeat(2, 1)  # both halves of the batch are the same
    batches = [(x, x[:, :1])] * 2
    mean = start_of(net(4, 8, 1), MSE, batches).batch_ratio
    total = start_of(net(4, 8, 1), lambda output, target: (output - target).square().sum(), batches).batch_ratio
    assert mean == pytest.approx(1.0, abs=1e-4)
    assert total == pytest.approx(2.0, abs=1e-4)


def test_padding_at_the_end_of_rows_is_counted() -> None:
    tokens = torch.randint(1, 9, (16, 10), generator=torch.Generator().manual_seed(0))
    tokens[:, 3:] = 0
    model = nn.Embedding(9, 9)
    found = start_of(model, lambda o, t: CE(o.flatten(0, 1), t.flatten()), [(tokens, tokens)] * 2)
    assert found.padded == pytest.approx(0.7)


def test_a_model_with_its_own_loss_is_measured_without_targets() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 3)

        def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
            logits = self.layer(x)
            return {"loss": CE(logits, labels), "logits": logits}

    batches = [{"x": x, "labels": y} for x, y in blobs()]
    found = measure_start(working_copy(make_setup(Own(), None, batches)), [0, 1], 0)
    assert found.constant_loss is None and found.loss > 0
