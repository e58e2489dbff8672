import dataclasses

import numpy as np
import pytest
from torch import nn

from evenkeel.symptoms import oscillation
from evenkeel.symptoms.history import History, LossPoint
from symptoms._runs import adam, cross_entropy, descent, digits, mlp, of_classes, run

START = of_classes(10, reachable=0.35)


def history(losses, **more):
    points = tuple(LossPoint(step=step, loss=float(loss)) for step, loss in enumerate(losses, start=1))
    return History(optimizer="descent", steps=len(points), losses=points, start=START, **more)


def normed():
    layers = [nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(64, 10))


def trained(model, size, optimizer, steps=100):
    seen = run(model, cross_entropy, digits(size), optimizer, steps, start=START, looks=(1, 64))
    return dataclasses.replace(seen, sizes=(size,) * 8)


def test_batch_norm_over_two_examples_is_the_batch_size():
    model = normed()
    (found,) = oscillation(trained(model, 2, adam(model)))
    assert found.cause == "batch-size" and found.severity in ("warning", "critical")
    assert found.sentence == (
        f"The loss scatters by {found.evidence['scatter']:.3g} around {found.evidence['level']:.3g}: "
        "batch norm takes its mean and variance from 2 examples at a time."
    )


@pytest.mark.parametrize("size", [16, 64])
def test_batch_norm_over_more_examples_is_silent(size):
    model = normed()
    assert oscillation(trained(model, size, adam(model))) == ()


def test_small_batches_without_batch_norm_are_silent():
    model = mlp([64, 64, 10])
    assert oscillation(trained(model, 2, adam(model), steps=300)) == ()


def test_steps_that_throw_the_loss_about_are_the_learning_rate():
    model = mlp([64, 64, 64, 10])
    (found,) = oscillation(trained(model, 64, descent(model, 0.5, 0.9)))
    assert found.cause == "learning-rate" and found.severity in ("warning", "critical")
    assert found.sentence.endswith(", more than it ever fell and more than batches of 64 examples explain.")


def test_overshooting_in_turn_is_the_learning_rate():
    swinging = 2 + 0.8 * (-1.0) ** np.arange(60) + 0.05 * np.random.default_rng(0).normal(size=60)
    (found,) = oscillation(history(swinging))
    assert (found.severity, found.cause) == ("critical", "learning-rate")
    assert found.sentence == (
        "The loss scatters by 0.79 around 2.01, up and down in turn: successive steps have a correlation of -0.96."
    )


def test_what_learns_all_the_same_is_a_note():
    swinging = np.concatenate([np.linspace(2.3, 0.4, 40), 0.4 + 0.25 * (-1.0) ** np.arange(60)])
    assert oscillation(history(swinging))[0].severity == "note"


def test_a_rate_far_too_low_or_a_runaway_loss_is_no_oscillation():
    model = mlp([64, 64, 10])
    assert oscillation(trained(model, 4, adam(model, 1e-8))) == ()
    assert oscillation(history(1.3 ** np.arange(60), sizes=(64,))) == ()


def test_independent_scatter_of_batches_is_no_oscillation():
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(size=200)
        assert oscillation(history(1 + 0.2 * noise, sizes=(32,))) == ()
