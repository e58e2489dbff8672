import dataclasses
import math

import pytest
import torch
from torch import nn

from evenkeel.symptoms import non_finite
from evenkeel.symptoms.history import History, LossPoint, NonFinite, Start
from symptoms._runs import adam, blobs, cross_entropy, descent, digits, line, mlp, mse, run


def history(*losses, optimizer="adaptive", **more):
    points = tuple(LossPoint(step=step, loss=loss) for step, loss in enumerate(losses, start=1))
    return History(optimizer=optimizer, steps=len(points), losses=points, **more)


def made(operation="log", where="loss", direction="forward", step=3):
    return NonFinite(step=step, where=where, operation=operation, direction=direction, replayed=True)


def by_hand(logits, target):
    """Cross-entropy whose softmax underflows."""
    return -torch.log(torch.softmax(200 * logits, dim=1))[torch.arange(len(target)), target].mean()


def test_a_loss_by_hand_is_numerics():
    model = mlp([64, 32, 10])
    seen = run(model, by_hand, digits(), adam(model), 20)
    (found,) = non_finite(dataclasses.replace(seen, non_finite=made(step=2)))
    assert (found.severity, found.cause, found.where) == ("critical", "numerics", "loss")
    assert (
        found.sentence == "`log` in `loss` made the first value that is not finite, at step 2: 19 of 20 steps are lost."
    )


def test_the_same_network_is_silent_with_the_loss_in_one_piece():
    model = mlp([64, 32, 10])
    assert (
        non_finite(run(model, lambda logits, target: cross_entropy(200 * logits, target), digits(), adam(model), 20))
        == ()
    )


def test_a_raw_target_under_plain_descent_is_the_target():
    model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
    start = Start(loss=1e6, target_mean=1000.0, target_spread=300.0, input_scales=(1.0,), input_spreads=(1.0,))
    seen = run(model, mse, line(offset=1000.0, spread=300.0), descent(model, 0.1), 40, start=start, looks=())
    (found,) = non_finite(seen)
    assert found.cause == "target-scale" and found.severity == "critical"
    (blind,) = non_finite(dataclasses.replace(seen, start=None))
    assert blind.cause == "learning-rate"
    assert blind.sentence.startswith("The loss is not finite from step ")


def test_exp_as_an_activation_is_the_activation():
    class Exp(nn.Module):
        def forward(self, value):
            return value.exp()

    torch.manual_seed(1)
    model = mlp([2, *[9] * 5, 3], Exp)
    seen = run(model, cross_entropy, blobs(), adam(model), 15, looks=())
    assert seen.non_finite_steps > 0
    (found,) = non_finite(dataclasses.replace(seen, non_finite=made("exp", "7")))
    assert found.cause == "activation"


@pytest.mark.parametrize(
    ("found", "cause", "opening"),
    [
        (made("", "inputs", "data"), "data-scale", "The batch of step 3 holds values that are not finite, in `inputs`"),
        (made("", "0.weight", "weights"), "learning-rate", "The weights `0.weight` are not finite at step 3"),
        (made("SqrtBackward0", "norm", "backward"), "numerics", "The backward pass of `SqrtBackward0` in `norm` made"),
        (made("_log_softmax", "loss"), "numerics", "`_log_softmax` in `loss` made the first value"),
        (made("addmm", "0", step=1), "initialisation", "`addmm` in `0` made the first value"),
        (made("addmm", "0"), "learning-rate", "`addmm` in `0` made the first value"),
        (made("exp", "loss"), "numerics", "`exp` in `loss` made"),
    ],
)
def test_the_producer_tells_the_cause(found, cause, opening):
    (finding,) = non_finite(history(1.0, 1.1, *[math.nan] * 20, non_finite=found))
    assert finding.cause == cause and finding.sentence.startswith(opening)


def test_overflow_of_raw_inputs_at_the_first_step_is_the_data():
    start = Start(loss=math.inf, input_scales=(1e20,), input_spreads=(1e20,))
    (found,) = non_finite(history(*[math.inf] * 5, start=start, non_finite=made("addmm", "0", step=1)))
    assert found.cause == "data-scale"


def test_a_log_after_a_loss_that_grew_only_shows_that_the_weights_had():
    (found,) = non_finite(history(1.0, 9.0, 80.0, 900.0, *[math.inf] * 9, non_finite=made(step=5)))
    assert found.cause == "learning-rate"


def test_one_bad_step_is_a_warning_and_a_bad_end_is_critical():
    passed = history(*[1.0] * 20, math.nan, *[1.0] * 20)
    assert non_finite(passed)[0].severity == "warning"
    assert non_finite(passed)[0].sentence == "The loss is not finite from step 21 on: 1 of 41 steps is lost."
    assert non_finite(history(*[1.0] * 40, math.nan))[0].severity == "critical"


def test_a_stuck_scaler_is_critical_and_a_searching_one_a_note():
    flat = [2.3] * 60
    (stuck,) = non_finite(history(*flat, skipped=60, non_finite_steps=60))
    assert (stuck.severity, stuck.cause) == ("critical", "numerics")
    assert stuck.sentence == "A gradient scaler skipped 60 of 60 steps: its loss scale never comes down."
    (searching,) = non_finite(history(*flat, skipped=4, non_finite_steps=4))
    assert searching.severity == "note"
    assert searching.sentence == "A gradient scaler skipped 4 of 60 steps while it looked for its scale."


def test_a_loss_that_is_not_finite_under_a_scaler_is_no_matter_of_scale():
    (found,) = non_finite(history(*[math.nan] * 30, skipped=30, non_finite_steps=30, non_finite=made(step=1)))
    assert found.sentence.startswith("`log` in `loss` made")


def test_silent_on_finite_losses():
    assert non_finite(history(*[1e6, 1e-6] * 20)) == ()
