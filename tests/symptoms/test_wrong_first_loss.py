import dataclasses

import torch
from torch import nn

from evenkeel.symptoms import wrong_first_loss
from evenkeel.symptoms.history import History, LossPoint, Start
from symptoms._runs import adam, cross_entropy, descent, digits, he, initialised, line, mlp, mse, of_classes, run


def history(start, *, now=None):
    """A run of 40 steps that stays at its first loss, or at `now`."""
    loss = start.loss if now is None else now
    points = tuple(LossPoint(step=step, loss=loss) for step in range(1, 41))
    return History(optimizer="adaptive", steps=40, losses=points, start=start)


def measured(model, batches):
    """What a check-up measures for squares."""
    inputs, target = (torch.cat(parts) for parts in zip(*batches, strict=True))
    with torch.no_grad():
        loss = mse(model(inputs), target).item()
    mean, spread = target.mean().item(), target.std(correction=0).item()
    return Start(
        loss=loss,
        known_loss=target.square().mean().item(),
        constant_loss=spread**2,
        reachable_loss=0.1 * spread**2,
        target_mean=mean,
        target_spread=spread,
        input_scales=tuple(inputs.square().mean(0).sqrt().tolist()),
        input_spreads=tuple(inputs.std(0).tolist()),
    )


def test_a_raw_target_is_named():
    model, batches = mlp([4, 64, 1]), line(offset=454, spread=17)
    start = measured(model, batches)
    (found,) = wrong_first_loss(run(model, mse, batches, adam(model), 60, start=start, looks=(1,)))
    assert (found.severity, found.cause) == ("critical", "target-scale")
    base = start.constant_loss
    assert found.sentence == (
        f"The first loss is {start.loss:.3g}, {start.loss / base:.3g} times that of the best constant guess "
        f"({base:.3g}): the target has a mean of {start.target_mean:.3g} and a spread of {start.target_spread:.3g}."
    )


def test_a_standardised_target_is_silent():
    model, batches = mlp([4, 64, 1]), line()
    assert wrong_first_loss(run(model, mse, batches, adam(model), 60, start=measured(model, batches), looks=(1,))) == ()


def test_logits_far_too_large_are_the_initialisation():
    model = initialised(mlp([64, 64, 64, 10]), lambda weight: nn.init.normal_(weight, std=1.0))
    start = of_classes(10, loss=cross_entropy(model(digits()[0][0]), digits()[0][1]).item())
    seen = run(model, cross_entropy, digits(), descent(model, 1e-5), 40, start=start, looks=(1,))
    (found,) = wrong_first_loss(seen)
    assert found.cause == "initialisation" and found.severity in ("warning", "critical")
    assert found.sentence.endswith(" times that of an output of zeros (2.3): the first outputs are too large.")
    unmeasured = dataclasses.replace(seen, start=None)
    assert wrong_first_loss(unmeasured)[0].cause == "initialisation", "the first look knows the loss of zeros too"
    sound = initialised(mlp([64, 64, 64, 10]), he)
    assert wrong_first_loss(run(sound, cross_entropy, digits(), adam(sound), 40, looks=(1,))) == ()


def test_raw_inputs_make_outputs_too_large():
    start = dataclasses.replace(of_classes(10, loss=90.0), input_scales=(255.0,) * 3, input_spreads=(200.0,) * 3)
    (found,) = wrong_first_loss(history(start))
    assert found.cause == "data-scale" and found.sentence.endswith(": the inputs have an rms of 255.")


def test_a_loss_that_learns_all_the_same_is_a_note():
    start = Start(loss=40.0, known_loss=41.0, constant_loss=1.0, reachable_loss=0.1, target_mean=6.0, target_spread=1.0)
    assert wrong_first_loss(history(start, now=0.1))[0].severity == "note"


def test_rare_classes_are_no_fault_of_the_first_weights():
    start = Start(loss=0.69, known_loss=0.693, constant_loss=0.056, reachable_loss=0.01)
    assert wrong_first_loss(history(start)) == ()


def test_padding_that_counts_is_a_warning_whatever_the_progress():
    start = Start(loss=4.2, known_loss=4.17, constant_loss=0.6, reachable_loss=0.4, padded=0.9)
    (found,) = wrong_first_loss(history(start, now=0.4))
    assert (found.severity, found.cause, found.where) == ("warning", "loss-choice", "loss")
    assert found.sentence == (
        "90% of the target's positions are one repeated value and the loss counts them: "
        "a constant guess has 0.6, where an output of zeros has 4.17."
    )


def test_padding_that_is_masked_is_silent():
    masked = Start(loss=4.2, known_loss=4.17, constant_loss=3.3, reachable_loss=2.0, padded=0.9)
    assert wrong_first_loss(history(masked)) == ()


def test_losses_without_a_measure_are_silent():
    assert wrong_first_loss(history(Start(loss=5.0, constant_loss=0.0))) == ()
    assert wrong_first_loss(history(Start(loss=5.0))) == ()
