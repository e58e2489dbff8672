import dataclasses
import math

import numpy as np
import pytest
import torch

from evenkeel.symptoms import overfitting
from evenkeel.symptoms.history import History, LossPoint
from symptoms._runs import adam, cross_entropy, digits, mlp, of_classes, run

START = of_classes(10, reachable=0.35)


def points(losses, every=1):
    return tuple(LossPoint(step=step * every, loss=float(loss)) for step, loss in enumerate(losses, start=1))


def history(training, validation, **more):
    every = len(training) // len(validation)
    return History(
        optimizer="adaptive",
        steps=len(training),
        losses=points(training),
        validation=points(validation, every),
        **more,
    )


def validated(labels="as they are", examples=64, steps=200):
    """A network trained on a few images and judged on others, every 20 steps."""
    train, held = digits(examples)[:1], digits(256)[-2]
    if labels == "shuffled":
        train = [(x, y[torch.randperm(len(y))]) for x, y in digits(examples)[:4]]
    model = mlp([64, 256, 256, 10])
    seen: list[LossPoint] = []

    def look(step):
        if step % 20 == 0:
            with torch.no_grad():
                seen.append(LossPoint(step=step, loss=cross_entropy(model(held[0]), held[1]).item()))

    ran = run(model, cross_entropy, train, adam(model, 3e-3), steps, start=START, looks=(), after_step=look)
    return dataclasses.replace(ran, validation=tuple(seen), ended=True)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shuffled_labels_learned_by_heart_do_not_carry_over(seed):
    torch.manual_seed(seed)
    (found,) = overfitting(validated("shuffled"))
    assert (found.severity, found.cause, found.where) == ("warning", "training-loop", "validation")
    assert found.sentence == (
        f"The training loss fell to {found.evidence['training_loss']:.3g}, yet the validation loss was at best "
        f"{found.evidence['best_validation']:.3g}, where a constant guess has 2.3: what is learned does not carry over."
    )


def test_labels_as_they_are_carry_over():
    assert [found for found in overfitting(validated()) if found.severity != "note"] == []


def test_a_validation_loss_that_rises_again_is_overfitting():
    training, validation = np.linspace(2.3, 0.01, 100), [2.0, 1.5, 1.2, 1.0, 1.1, 1.3, 1.5, 1.7, 1.9, 1.9]
    (found,) = overfitting(history(training, validation))
    assert (found.severity, found.cause) == ("warning", "regularisation")
    assert found.sentence == (
        "After step 40 the validation loss rose from 1 to 1.9 while the training loss fell: "
        "90% of what was gained is given back."
    )


@pytest.mark.parametrize(("end", "severity"), [(1.02, None), (1.3, "note"), (1.6, "warning"), (2.6, "warning")])
def test_what_is_given_back_is_the_severity(end, severity):
    found = overfitting(history(np.linspace(2.3, 0.01, 100), [2.0, 1.5, 1.0, end, end]))
    assert [each.severity for each in found] == ([] if severity is None else [severity])


def test_a_rise_of_both_losses_is_not_overfitting():
    training = np.concatenate([np.linspace(2.3, 0.5, 50), np.linspace(0.5, 3, 50)])
    assert overfitting(history(training, [2.0, 1.0, 2.0, 3.0, 3.0])) == ()


def test_a_wild_first_loss_is_no_gain():
    training, validation = np.linspace(2.3, 0.01, 100), [1e5, 1.5, 1.0, 1.9, 1.9]
    assert overfitting(history(training, validation)) == (), "measured from the first look"
    assert overfitting(history(training, validation, start=START))[0].severity == "warning"


def test_one_bad_look_is_not_a_rise():
    assert overfitting(history(np.linspace(2.3, 0.01, 100), [2.0, 1.5, 1.0, 0.9, 2.5])) == ()


def test_too_little_to_judge():
    assert overfitting(history(np.linspace(2.3, 0.01, 100), [2.0])) == ()
    assert overfitting(history([1.0] * 8, [2.0, math.nan, 3.0, 4.0])) == ()
