import dataclasses
import math

import numpy as np
import pytest
import torch

from evenkeel.symptoms import loss_spike
from evenkeel.symptoms.history import History, LossPoint, Observation, ParameterLook
from evenkeel.symptoms.loss_spike import WINDOW, _levels
from symptoms._runs import adam, cross_entropy, descent, digits, mlp, of_classes, run

START = of_classes(10, reachable=0.35)


def history(losses, **more):
    points = tuple(LossPoint(step=step, loss=float(loss)) for step, loss in enumerate(losses, start=1))
    return History(optimizer="adaptive", steps=len(points), losses=points, **more)


def scattered(count, level=0.5, seed=0):
    return level * (1 + 0.1 * np.random.default_rng(seed).normal(size=count))


def learned(count=100):
    return np.concatenate([np.linspace(2.3, 0.5, 30), scattered(count - 30)])


def surprised(step, surprise):
    parameter = ParameterLook(
        name="0.weight", size=1, weight_rms=1.0, gradient_rms=1.0, update_rms=0.1, moved=1.0, surprise=surprise
    )
    return Observation(step=step, loss=None, rate=0.1, gradient_norm=1.0, parameters=(parameter,))


def test_a_spike_that_is_made_good_is_a_note():
    losses = learned()
    losses[80:83] = 9.0, 6.0, 2.0
    (found,) = loss_spike(history(losses, start=START, looks=(surprised(64, 0.9), surprised(80, 5.0))))
    assert (found.severity, found.cause, found.where) == ("note", "learning-rate", "step 81")
    assert found.sentence == (
        "At step 81 the loss jumped to 9, 10.7 times the level of the 80 steps before; it was back after 3 steps."
    )
    assert found.evidence["surprise"] == 5.0


def test_a_spike_that_stays_is_as_grave_as_the_harm():
    losses = learned()
    losses[60:] = 5 + scattered(40)
    (found,) = loss_spike(history(losses, start=START))
    assert found.severity == "critical"
    assert found.sentence.endswith("; it was not back 39 steps later.")


def test_a_rate_raised_far_too_high_in_a_trained_network_spikes():
    model = mlp([64, 64, 10])
    optimizer = adam(model, 3e-3)

    def raise_rate(step):
        optimizer.param_groups[0]["lr"] = 1.0 if step == 40 else 3e-3

    seen = run(model, cross_entropy, digits(), optimizer, 60, start=START, looks=(), after_step=raise_rate)
    (found,) = loss_spike(seen)
    assert found.where == "step 42" and found.cause == "learning-rate" and found.severity in ("warning", "critical")


def test_the_same_network_at_a_steady_rate_is_silent():
    for make in (lambda model: adam(model, 3e-3), lambda model: descent(model, 0.1, 0.9)):
        model = mlp([64, 64, 10])
        assert loss_spike(run(model, cross_entropy, digits(), make(model), 60, start=START, looks=())) == ()


def test_small_batches_explain_it_where_the_optimizer_is_not_surprised():
    losses = learned()
    losses[80] = 9.0
    seen = history(losses, start=START, sizes=(2, 2, 2))
    assert loss_spike(seen)[0].cause == "batch-size"
    assert loss_spike(dataclasses.replace(seen, looks=(surprised(80, 3.0),)))[0].cause == "learning-rate"


def test_divergence_the_start_and_scatter_are_no_spikes():
    assert loss_spike(history(1.5 ** np.arange(60))) == ()
    assert loss_spike(history([2e5, 3e4, *np.linspace(9, 1, 40)])) == ()
    assert loss_spike(history(scattered(500))) == ()
    assert loss_spike(history([1.0, 9.0] * 40)) == ()


def test_losses_below_zero_can_spike():
    losses = np.concatenate([np.linspace(2, -3, 40), -3 + 0.1 * np.random.default_rng(0).normal(size=60)])
    losses[90] = 40.0
    (found,) = loss_spike(history(losses))
    assert found.where == "step 91" and "from -" in found.sentence


def test_the_last_step_is_not_yet_judged():
    losses = learned()
    losses[-1] = 30.0
    assert loss_spike(history(losses, start=START))[0].severity == "note"


@pytest.mark.parametrize("count", [1, 5, 127, 128, 129, 300])
def test_levels_are_means_of_what_came_before(count):
    losses = torch.rand(count).tolist()
    found = _levels(losses)
    assert len(found) == count and math.isnan(found[0])
    for index in range(1, count):
        before = losses[max(0, index - WINDOW) : index]
        assert found[index] == pytest.approx(sum(before) / len(before))
