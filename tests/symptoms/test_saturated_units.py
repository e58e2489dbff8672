import pytest
from torch import nn

from evenkeel.symptoms import saturated_units
from symptoms._made import chain, flat, history, link, look, term
from symptoms._runs import adam, cross_entropy, descent, digits, initialised, mlp, of_classes, run


def normal(weight):
    return nn.init.normal_(weight, 0.0, 1.0)


def parts(saturated, **numbers):
    return (link("0", saturated=saturated, activation="tanh", **numbers), link("2"))


def test_weights_drawn_too_large_saturate():
    model = initialised(mlp([64, 128, 128, 10], nn.Tanh), normal)
    history = run(model, cross_entropy, digits(), adam(model, 1e-5), 60, looks=(1, 60), start=of_classes(10))
    (found,) = saturated_units(history)
    assert (found.severity, found.cause) == ("critical", "initialisation")


def test_raw_inputs_saturate():
    model = initialised(mlp([64, 64, 10], nn.Tanh), nn.init.xavier_uniform_)
    batches = [(256 * x, y) for x, y in digits()]
    (found,) = saturated_units(run(model, cross_entropy, batches, adam(model), 30, looks=(1, 30)))
    assert (found.where, found.cause) == ("0", "data-scale")


def test_steps_too_large_saturate_later():
    model = initialised(mlp([64, 64, 64, 10], nn.Tanh), nn.init.xavier_uniform_)
    history = run(model, cross_entropy, digits(), descent(model, 20.0), 40, start=of_classes(10))
    (found,) = saturated_units(history)
    assert found.cause == "learning-rate"
    assert found.evidence["step"] > 1


@pytest.mark.parametrize("activation", [nn.Tanh, nn.Sigmoid])
def test_is_silent_on_a_sound_network(activation):
    model = initialised(mlp([64, 64, 64, 10], activation), nn.init.xavier_uniform_)
    assert saturated_units(run(model, cross_entropy, digits(), adam(model), 40)) == ()


def test_says_how_many_are_flat():
    large = parts(0.89, terms=(term("0.weight", rms=1.0, ideal_rms=0.06),))
    (found,) = saturated_units(history(look(chain=chain(*large)), losses=flat()))
    assert (found.severity, found.where) == ("critical", "0")
    assert found.sentence == (
        "89 % of the tanh entries of `0` are flat, from the first weights on: its weights start too large."
    )


def test_says_how_large_the_inputs_are():
    raw = parts(0.7, terms=(term("0.weight", input_rms=120.0),))
    (found,) = saturated_units(history(look(chain=chain(*raw))))
    assert (found.severity, found.cause) == ("note", "data-scale")
    assert found.sentence == (
        "70 % of the tanh entries of `0` are flat, from the first weights on: "
        "its inputs are 1.2e+02 in size, not near 1."
    )


def test_says_since_when():
    looks = (look(chain=chain(*parts(0.0))), look(8, chain=chain(*parts(0.6))), look(16, chain=chain(*parts(0.6))))
    (found,) = saturated_units(history(*looks, losses=flat()))
    assert found.severity == "critical"
    assert (
        found.sentence == "60 % of the tanh entries of `0` are flat, since step 8: steps too large pushed them there."
    )


def test_the_output_may_be_sure():
    sure = (link("0"), link("2", saturated=0.9, activation="sigmoid"))
    assert saturated_units(history(look(chain=chain(*sure)), losses=flat())) == ()
