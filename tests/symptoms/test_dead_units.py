import pytest
import torch
from torch import nn

from evenkeel.symptoms import dead_units
from evenkeel.symptoms.history import Start
from symptoms._made import chain, flat, history, link, look, parameter, term
from symptoms._runs import adam, cross_entropy, descent, digits, he, initialised, mlp, moons, run


def parts(dead, **numbers):
    return (link("0", dead=dead, activation="relu", **numbers), link("2", dead=0.0, activation="relu"), link("4"))


def born_dead():
    """ReLU 5 x 16 drawn until the output is one constant."""
    while True:
        model = initialised(mlp([2, *[5] * 16, 2]), he)
        output = model(moons()[0][0])
        if bool((output == output[:1]).all()):
            return model


def with_biases(value):
    """All biases of the hidden layers at one value."""
    model = mlp([64, 64, 64, 10])
    for layer in list(model)[:-1]:
        if isinstance(layer, nn.Linear):
            nn.init.constant_(layer.bias, value)
    return model


def test_a_deep_narrow_net_is_born_dead():
    model = born_dead()
    (found,) = dead_units(run(model, cross_entropy, moons(), adam(model), 60, looks=(1, 60)))
    assert (found.severity, found.cause, found.evidence["dead"]) == ("critical", "depth", 1.0)


def test_biases_kill_a_wide_layer():
    model = with_biases(-20.0)
    (found,) = dead_units(run(model, cross_entropy, digits(), adam(model), 60, looks=(1, 60)))
    assert (found.severity, found.cause) == ("critical", "initialisation")


def test_steps_too_large_kill_it_later():
    model = mlp([64, 64, 64, 10])
    (found,) = dead_units(run(model, cross_entropy, digits(), descent(model, 50.0), 60))
    assert found.cause == "learning-rate" and found.severity != "note"
    assert found.evidence["step"] > 1


@pytest.mark.parametrize("make", [lambda: mlp([64, 32, 32, 10]), lambda: initialised(mlp([64, *[32] * 8, 10]), he)])
def test_is_silent_on_a_sound_network(make):
    model = make()
    assert dead_units(run(model, cross_entropy, digits(), adam(model), 60)) == ()


def test_says_that_nothing_passes():
    (found,) = dead_units(history(look(chain=chain(*parts(1.0))), losses=flat()))
    assert found.sentence == (
        "All units of `0` are zero for every input, from the first weights on: no gradient passes; "
        "its weights and biases start on the dead side."
    )


def test_says_when_it_came():
    looks = (look(chain=chain(*parts(0.0))), look(16, chain=chain(*parts(0.75))))
    (found,) = dead_units(history(*looks, losses=flat()))
    assert (found.severity, found.cause) == ("warning", "learning-rate")
    assert found.sentence == (
        "75 % of the units of `0` are zero for every input, first seen at step 16; a step too large pushed it there."
    )
    assert dead_units(history(*looks)) == ()


def test_inputs_off_center_are_the_data():
    start = Start(loss=1.0, input_scales=(200.0,), input_spreads=(1.0,))
    (found,) = dead_units(history(look(chain=chain(*parts(0.75))), losses=flat(), start=start))
    assert found.cause == "data-scale"


@pytest.mark.parametrize(("bias", "cause"), [(5.0, "initialisation"), (0.1, "depth")])
def test_biases_are_weighed_against_the_weights(bias, cause):
    seen = chain(*parts(1.0, width=4, terms=(term("0.weight", rms=0.35, input_rms=1.0),)))
    found = dead_units(history(look(chain=seen, parameters=(parameter("0.bias", weight_rms=bias),)), losses=flat()))
    assert [each.cause for each in found] == [cause]


def test_a_batch_of_two_says_nothing_of_half_a_layer():
    few = history(look(chain=chain(*parts(0.6), batch=2)), losses=flat())
    many = history(look(chain=chain(*parts(0.6), batch=32)), losses=flat())
    assert dead_units(few) == () and len(dead_units(many)) == 1


def test_units_that_follow_a_vanished_gradient_are_no_matter_of_their_own():
    small = {"gain": 1e-4, "expected_gain": 1e-4}
    looks = (look(chain=chain(*parts(0.0, **small))), look(16, chain=chain(*parts(0.75, **small))))
    assert dead_units(history(*looks, losses=flat())) == ()


def test_leaves_the_random_state_alone():
    before = torch.get_rng_state()
    dead_units(history(look(chain=chain(*parts(1.0)))))
    assert torch.equal(before, torch.get_rng_state())
