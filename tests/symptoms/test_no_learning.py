import dataclasses

import pytest
import torch
from torch import nn

from evenkeel.symptoms import no_learning
from evenkeel.symptoms.history import History, LossPoint, Observation
from symptoms._runs import adam, blobs, cross_entropy, descent, digits, initialised, line, mlp, mse, of_classes, run

START = of_classes(10, reachable=0.35)


def flat(loss=2.3, steps=60, **more):
    points = tuple(LossPoint(step=step, loss=loss) for step in range(1, steps + 1))
    return History(**{"optimizer": "adaptive", "steps": steps, "losses": points, "start": START} | more)


def trained(model, optimizer, *, batches=None, steps=60, start=START, **more):
    return run(model, cross_entropy, batches or digits(), optimizer, steps, start=start, **more)


def cause_of(history):
    (found,) = no_learning(history)
    assert found.severity in ("warning", "critical") and found.where == "training"
    return found.cause


@pytest.mark.parametrize("make", [adam, lambda m: descent(m, 0.5), lambda m: descent(m, 0.05, 0.9)])
@pytest.mark.parametrize("start", [START, None])
def test_a_network_that_learns_is_silent(make, start):
    model = mlp([64, 64, 10])
    assert no_learning(trained(model, make(model), start=start, steps=100)) == ()


def test_a_rate_far_too_low():
    model = mlp([64, 64, 64, 10])
    seen = trained(model, adam(model, 1e-8))
    (found,) = no_learning(seen)
    assert (found.severity, found.cause) == ("critical", "learning-rate")
    assert found.sentence == (
        "After 60 steps the loss is 2.3, where the best constant guess has 2.3 and a small sound network reaches "
        "0.35: a step changes the weights by only 1.4e-07 of their size."
    )
    (blind,) = no_learning(dataclasses.replace(seen, start=None))
    assert blind.cause == "learning-rate"
    assert blind.sentence == (
        "The loss of the last 15 steps is 2.3, that of the first 15 was 2.3: "
        "a step changes the weights by only 1.4e-07 of their size."
    )
    model = mlp([64, 64, 64, 10])
    assert cause_of(trained(model, descent(model, 1e-6))) == "learning-rate"


def test_a_rate_too_low_for_so_few_steps():
    model = mlp([64, 64, 64, 10])
    (found,) = no_learning(trained(model, adam(model, 1e-4), steps=100))
    assert found.cause == "learning-rate" and ": it does fall, but a step changes" in found.sentence


@pytest.mark.parametrize("make", [lambda m: adam(m, 0.3), lambda m: descent(m, 5.0)])
def test_a_rate_far_too_high(make):
    model = mlp([64, 64, 64, 10])
    assert cause_of(trained(model, make(model), steps=100)) == "learning-rate"


def test_a_schedule_that_is_over_too_soon():
    model = mlp([64, 64, 10])
    optimizer = adam(model, 1e-4)

    def fall(step):
        optimizer.param_groups[0]["lr"] = 1e-4 * max(0.0, 1 - step / 10)

    (found,) = no_learning(trained(model, optimizer, after_step=fall))
    assert found.cause == "learning-rate" and ": the learning rate is 0 from step 16 on." in found.sentence


def test_updates_that_bfloat16_loses():
    model = mlp([64, 64, 10]).bfloat16()
    batches = [(x.bfloat16(), y) for x, y in digits()]

    def loss(logits, target):
        return cross_entropy(logits.float(), target)

    (found,) = no_learning(run(model, loss, batches, adam(model, 3e-5), 60, start=START))
    assert found.cause == "numerics" and "the rest lose it in rounding" in found.sentence


def test_a_stuck_scaler():
    (found,) = no_learning(flat(skipped=60))
    assert found.cause == "numerics" and ": a gradient scaler skipped 60 of 60 steps." in found.sentence


@pytest.mark.parametrize("draw", [lambda w: nn.init.constant_(w, 0.05), nn.init.zeros_])
@pytest.mark.parametrize("make", [adam, lambda m: descent(m, 0.1)])
def test_units_that_start_alike(draw, make):
    model = initialised(mlp([64, 64, 64, 10]), draw)
    assert cause_of(trained(model, make(model))) == "initialisation"


def test_a_head_of_zeros_is_sound():
    model = mlp([64, 64, 10])
    nn.init.zeros_(model[-1].weight)
    assert no_learning(trained(model, adam(model), steps=100)) == ()


def test_a_deep_sigmoid_network_is_the_activation():
    model = mlp([2, *[12] * 5, 3], nn.Sigmoid)
    start = of_classes(3, reachable=0.1)
    assert cause_of(trained(model, adam(model), batches=blobs(), start=start)) == "activation"


def test_tiny_weights_are_the_initialisation():
    model = initialised(mlp([2, *[8] * 5, 3]), lambda weight: nn.init.uniform_(weight, -0.05, 0.05))
    start = of_classes(3, reachable=0.1)
    assert cause_of(trained(model, adam(model), batches=blobs(), start=start)) == "initialisation"


def test_a_softmax_over_one_unit_is_the_output():
    model = nn.Sequential(*mlp([2, 32, 1]), nn.Softmax(1))
    batches = [(x, (y == 0).float()[:, None]) for x, y in blobs()]
    start = dataclasses.replace(
        of_classes(2), constant_loss=0.64, output_floor=1.0, free_floor=0.0, output_operation="softmax"
    )
    loss = nn.functional.binary_cross_entropy_with_logits
    (found,) = no_learning(run(model, loss, batches, adam(model), 60, start=start))
    assert found.cause == "output-activation" and found.sentence.endswith(": no outputs of `softmax` bring it below 1.")


def test_a_complaint_is_the_loss_where_the_output_is_linear():
    start = dataclasses.replace(START, complaint="The loss takes counts.")
    (found,) = no_learning(flat(start=start))
    assert found.cause == "loss-choice" and found.sentence.endswith(": The loss takes counts.")


def test_a_raw_target():
    batches, model = line(offset=454, spread=17), mlp([4, 64, 1])
    start = dataclasses.replace(
        of_classes(2), constant_loss=290.0, known_loss=2e5, reachable_loss=30.0, target_mean=454.0, target_spread=17.0
    )
    (found,) = no_learning(run(model, mse, batches, adam(model), 60, start=start))
    assert found.cause == "target-scale"


def test_raw_scales_where_nothing_else_is_seen():
    raw = dataclasses.replace(START, target_mean=454.0, target_spread=17.0)
    assert no_learning(flat(start=raw))[0].sentence.endswith(": the target is of size 454.")
    raw = dataclasses.replace(START, input_scales=(255.0,), input_spreads=(80.0,))
    (found,) = no_learning(flat(start=raw))
    assert found.cause == "data-scale" and found.sentence.endswith(": an input feature has an rms of 255.")


def test_parameters_that_no_optimizer_holds():
    model = mlp([64, 64, 10])
    model[0].weight.detach().mul_(0.01)
    assert cause_of(trained(model, torch.optim.Adam(model[2:].parameters(), lr=1e-3))) == "optimizer"


def test_what_one_batch_alone_says():
    fits = dataclasses.replace(START, single_loss=2.3, fitted_loss=0.01)
    assert no_learning(flat(start=fits))[0].sentence.endswith(" One batch alone can be learned (2.3 to 0.01).")
    fails = dataclasses.replace(START, single_loss=2.3, fitted_loss=2.2)
    assert no_learning(flat(start=fails))[0].sentence.endswith(" One batch alone cannot be learned (2.3 to 2.2).")


def test_the_loop_where_the_network_itself_can_learn():
    fits = dataclasses.replace(START, single_loss=2.3, fitted_loss=0.01)
    still = tuple(LossPoint(step=step, loss=2.31) for step in (20, 40, 60))
    (found,) = no_learning(flat(start=fits, validation=still))
    assert found.cause == "training-loop" and ": nor does the validation loss move." in found.sentence
    (found,) = no_learning(flat(start=fits, zeroed_loss=2.301, seen_loss=2.3))
    assert (
        found.cause == "training-loop" and ": with its inputs zeroed it is 2.3, so they are not used." in found.sentence
    )
    look = Observation(step=1, loss=2.3, rate=0.1, gradient_norm=1.0, evaluating=("norm", "dropout"))
    (found,) = no_learning(flat(looks=(look,)))
    assert found.cause == "training-loop" and ": `norm` (of 2 such layers) is in evaluation mode." in found.sentence
    assert cause_of(flat()) is None


def test_inputs_that_tell_nothing():
    start = dataclasses.replace(START, reachable_loss=2.28, single_loss=2.3, fitted_loss=0.1)
    still = tuple(LossPoint(step=step, loss=2.31) for step in (20, 40, 60))
    (found,) = no_learning(flat(start=start, validation=still))
    assert (found.severity, found.cause) == ("warning", "training-loop")
    assert ": the inputs seem to tell nothing of the targets." in found.sentence
    moving = tuple(LossPoint(step=step, loss=loss) for step, loss in ((20, 2.3), (40, 2.1)))
    assert no_learning(flat(start=start, validation=moving)) == ()
    assert no_learning(flat(start=start)) == (), "without validation nobody can say"


def test_too_early_to_say_and_losses_that_are_not_finite():
    assert no_learning(flat(steps=8)) == ()
    ended = flat(non_finite_steps=40)
    losses = (*ended.losses[:-1], LossPoint(step=60, loss=float("nan")))
    assert no_learning(dataclasses.replace(ended, losses=losses)) == ()
