import math

import pytest
import torch
from torch import nn

from evenkeel.symptoms import exploding_gradient
from evenkeel.symptoms.history import Start
from symptoms._made import chain, falling, flat, history, link, links, look, over_time, parameter
from symptoms._runs import adam, blobs, cross_entropy, descent, digits, he, initialised, line, mlp, mse, run


class Exponential(nn.Module):
    def forward(self, x):
        return x.exp()


def large(weight):
    return nn.init.normal_(weight, 0.0, 4 / math.sqrt(weight.shape[1]))


def only(found):
    assert len(found) == 1
    return found[0]


def test_large_weights_are_the_initialisation():
    model = initialised(mlp([64, *[32] * 6, 10]), large)
    found = only(exploding_gradient(run(model, cross_entropy, digits(), descent(model, 0.1), 40)))
    assert (found.severity, found.cause) == ("critical", "initialisation")
    assert found.evidence["decades"] > 2


def test_too_large_a_rate_is_the_steps():
    model = mlp([64, 64, 10])
    found = only(exploding_gradient(run(model, cross_entropy, digits(), descent(model, 50.0), 40)))
    assert (found.severity, found.cause, found.where) == ("critical", "learning-rate", "training")


def test_a_linear_chain_under_squared_error_feeds_back_on_itself():
    model = initialised(mlp([4, *[16] * 11, 1], nn.Identity), lambda weight: nn.init.orthogonal_(weight, 1.1))
    found = only(exploding_gradient(run(model, mse, line(), descent(model, 0.1), 40)))
    assert (found.severity, found.cause) == ("critical", "learning-rate")


def test_a_raw_target_is_the_target():
    model = mlp([4, 64, 1])
    start = Start(loss=1.0, target_mean=500.0, target_spread=20.0)
    found = only(exploding_gradient(run(model, mse, line(offset=500, spread=20), descent(model, 0.1), 40, start=start)))
    assert (found.severity, found.cause) == ("critical", "target-scale")


def test_raw_inputs_are_the_data():
    model = mlp([4, 64, 1])
    batches = [(1000 * x, y) for x, y in line()]
    start = Start(loss=1.0, input_scales=(1000.0,) * 4, input_spreads=(1000.0,) * 4)
    found = only(exploding_gradient(run(model, mse, batches, descent(model, 0.01), 40, start=start)))
    assert found.cause == "data-scale"


def test_features_that_overflow_through_an_exponential_are_the_activation():
    model = initialised(mlp([2, *[16] * 6, 3], Exponential), he)
    found = only(exploding_gradient(run(model, cross_entropy, blobs(), adam(model), 20)))
    assert (found.severity, found.cause) == ("critical", "activation")
    assert found.where == "0 to 2"


@pytest.mark.parametrize("make", [lambda: mlp([64, 64, 64, 10]), lambda: initialised(mlp([64, *[64] * 8, 10]), he)])
def test_is_silent_on_a_sound_network(make):
    model = make()
    assert exploding_gradient(run(model, cross_entropy, digits(), adam(model), 60)) == ()


def test_is_silent_where_something_merely_broke():
    losses = [1.0, 0.9, 0.8, *[math.nan] * 20]
    broke = history(look(1), look(4, gradient_norm=math.nan), losses=losses, non_finite_steps=20)
    assert exploding_gradient(broke) == ()


def test_says_by_how_much_it_grows():
    seen = look(chain=chain(*links(4, gain=10.0, expected_gain=10.0)))
    found = only(exploding_gradient(history(seen, losses=flat(), optimizer="descent")))
    assert found.sentence == (
        "The gradient grows 1e+04-fold between `layers.3` and `layers.0`: "
        "the weights there start at a size that multiplies it by 10 a layer."
    )
    assert (found.severity, found.where) == ("critical", "layers.0 to layers.3")


@pytest.mark.parametrize(
    ("optimizer", "losses", "severity"),
    [("descent", flat(), "critical"), ("adaptive", flat(), "warning"), ("descent", falling(), "note")],
)
def test_an_optimizer_that_rescales_is_not_alone_thrown_off(optimizer, losses, severity):
    seen = look(chain=chain(*links(30, gain=1.3)))
    found = only(exploding_gradient(history(seen, losses=losses, optimizer=optimizer)))
    assert (found.severity, found.cause) == (severity, "depth")


def test_over_time_it_is_the_recurrent_weights():
    seen = look(chain=chain(over_time(1.5), link("head")))
    found = only(exploding_gradient(history(seen, losses=flat())))
    assert (found.where, found.cause) == ("cell, over time", "initialisation")
    assert found.sentence == (
        "In `cell` the gradient grows 1.5-fold a step over 20 steps at its first weights: 2.2e+03-fold in all."
    )


def test_over_time_and_later_it_is_the_steps():
    before, after = chain(over_time(1.0), link("head")), chain(over_time(1.5), link("head"))
    assert exploding_gradient(history(look(chain=before), look(8, after))) == ()
    found = only(exploding_gradient(history(look(chain=before), look(8, after), losses=flat())))
    assert found.cause == "learning-rate"


def test_says_what_the_loss_hands_down():
    seen = look(chain=chain(*links(2), output_gradient=100.0, batch=25))
    found = only(exploding_gradient(history(seen, losses=flat())))
    assert (found.where, found.cause) == ("output", "loss-choice")
    assert found.sentence == (
        "The loss hands 5e+02 of gradient to each example's output, where about 1 is usual: "
        "the loss is scaled up that much."
    )
    raw = history(seen, losses=flat(), start=Start(loss=1.0, target_mean=250.0))
    assert only(exploding_gradient(raw)).cause == "target-scale"
    assert exploding_gradient(history(seen)) == ()


def test_says_how_it_grew_from_step_to_step():
    seen = (look(1), look(8, gradient_norm=500.0, parameters=(parameter(update_rms=0.7),)))
    losses = [1.0, 20.0, *[5.0] * 38]
    found = only(exploding_gradient(history(*seen, losses=losses)))
    assert found.sentence == (
        "From step 1 to step 8 the gradient grew 5e+02-fold and the loss rose from 1 to 20: "
        "at a learning rate of 0.001 each step overshoots."
    )
    assert found.evidence["largest_step"] == pytest.approx(2.0)


def test_says_where_features_overflow():
    parts = (link("0", forward_rms=30.0), link("2", forward_rms=900.0), link("4", forward_rms=math.inf, gain=math.nan))
    found = only(exploding_gradient(history(look(chain=chain(*parts)), losses=flat())))
    assert found.cause == "initialisation"
    assert found.sentence == (
        "The features grow from 1 below `0` to 9e+02 above `2` and overflow in `4`, before any step."
    )


def test_nothing_grows_out_of_nothing():
    torch.manual_seed(0)
    assert exploding_gradient(history(look(1, gradient_norm=0.0), look(8), losses=flat())) == ()
