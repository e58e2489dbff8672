import dataclasses

import pytest
import torch
from torch import nn

from evenkeel.symptoms import unscaled_data
from evenkeel.symptoms.history import History, LossPoint, Start
from symptoms._runs import adam, descent, digits, line, mlp, mse, run


def of(batches, **more):
    """What a check-up measures of inputs and a target of real numbers."""
    inputs, target = (torch.cat(parts) for parts in zip(*batches, strict=True))
    return Start(
        loss=target.square().mean().item(),
        constant_loss=target.var().item(),
        reachable_loss=0.05 * target.var().item(),
        input_scales=tuple(inputs.square().mean(0).sqrt().tolist()),
        input_spreads=tuple(inputs.std(0).tolist()),
        target_mean=target.mean().item(),
        target_spread=target.std().item(),
        **more,
    )


def flat(start, loss=1.0):
    points = tuple(LossPoint(step=step, loss=loss) for step in range(1, 41))
    return History(optimizer="adaptive", steps=40, losses=points, start=start)


def inputs(scales, spreads=None):
    return Start(loss=1.0, input_scales=tuple(scales), input_spreads=tuple(spreads or scales))


def test_inputs_too_small_to_learn_from():
    batches = [(0.001 * x, y) for x, y in line(640)]
    model = mlp([4, 32, 1])
    (found,) = unscaled_data(run(model, mse, batches, adam(model), 60, start=of(batches), looks=(1,)))
    assert (found.where, found.cause) == ("inputs", "data-scale") and found.severity in ("warning", "critical")
    assert found.sentence == f"The inputs have an rms of {found.evidence['rms']:.3g}, far from order one."


def test_one_raw_feature_hides_the_others():
    assert unscaled_data(flat(inputs([0.004, 0.004, 0.004, 2.0])))[0].sentence == (
        "The largest input feature has an rms of 2, 500 times that of the median one."
    )


def test_standardised_data_and_images_are_silent():
    model = mlp([4, 32, 1])
    assert unscaled_data(run(model, mse, line(), adam(model), 60, start=of(line()), looks=(1,))) == ()
    images = torch.cat([batch[0] for batch in digits()])
    for scale in (1.0, 16.0):
        spreads = (scale * images).std(0).tolist()
        assert unscaled_data(flat(inputs((scale * images).square().mean(0).sqrt().tolist(), spreads))) == ()


def test_a_norm_first_scales_by_itself():
    batches = [(1000 * x, y) for x, y in line()]
    model = nn.Sequential(nn.BatchNorm1d(4), *mlp([4, 32, 1]))
    assert unscaled_data(run(model, mse, batches, adam(model), 40, start=of(batches), looks=(1,))) == ()


def test_a_raw_target_is_the_target():
    batches = line(offset=454, spread=17)
    model = mlp([4, 32, 1])
    (found,) = unscaled_data(run(model, mse, batches, adam(model), 60, start=of(batches), looks=(1,)))
    assert (found.where, found.cause, found.severity) == ("target", "target-scale", "critical")
    assert found.sentence.startswith("The target has an rms of 45")


def test_it_is_a_note_where_the_network_learns():
    batches = line(offset=20, spread=5)
    model = mlp([4, 64, 1])
    seen = run(model, mse, batches, descent(model, 0.01), 200, start=of(batches), looks=(1,))
    (found,) = unscaled_data(dataclasses.replace(seen, losses=seen.losses[:100] + seen.losses[-100:]))
    assert found.severity == "note"


@pytest.mark.parametrize(
    ("scales", "spreads", "sentence"),
    [
        ([1.0, 1.0], [0.05, 0.05], "The mean of the inputs is 20 times their spread (0.05): all examples look alike."),
        ([0.001, 0.002], None, "The inputs have an rms of 0.00158, far from order one."),
        ([200.0, 200.0], None, "The inputs have an rms of 200, far from order one."),
    ],
)
def test_what_is_said_of_the_inputs(scales, spreads, sentence):
    (found,) = unscaled_data(flat(inputs(scales, spreads)))
    assert found.sentence == sentence and found.cause == "data-scale"


def test_what_is_said_of_a_target_far_off_its_spread():
    (found,) = unscaled_data(flat(Start(loss=1.0, target_mean=-5.0, target_spread=0.1)))
    assert found.sentence == "The mean of the target, -5, is 50 times its spread." and found.cause == "target-scale"


def test_constant_and_unknown_features_count_for_nothing():
    assert unscaled_data(flat(inputs([0.0, 1.0, 500.0], [0.0, 1.0, 0.0]))) == ()
    assert unscaled_data(flat(Start(loss=1.0))) == ()
