import pytest
from torch import nn

from evenkeel.symptoms import input_blind
from symptoms._made import chain, flat, history, link, look
from symptoms._runs import adam, cross_entropy, descent, digits, he, initialised, mlp, of_classes, run


def parts(*similarities, **numbers):
    """Links with these similarities after each, and a head."""
    made = (link(f"layers.{number}", similarity=value, **numbers) for number, value in enumerate(similarities))
    return (*made, link("head", similarity=0.99))


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda: initialised(mlp([64, *[48] * 60, 10]), he), "depth"),
        (lambda: mlp([64, *[32] * 10, 10], nn.Sigmoid), "activation"),
        (lambda: mlp([64, *[32] * 14, 10]), "initialisation"),
    ],
    ids=["He", "sigmoid", "torch's own"],
)
def test_is_found_with_its_cause(make, cause):
    model = make()
    (found,) = input_blind(
        run(model, cross_entropy, digits(), descent(model, 0.01), 60, looks=(1,), start=of_classes(10))
    )
    assert found.cause == cause
    assert found.severity != "note" and found.evidence["similarity"] > 0.97


def test_is_silent_on_a_sound_network():
    model = initialised(mlp([64, *[64] * 4, 10]), he)
    assert input_blind(run(model, cross_entropy, digits(), adam(model), 60, looks=(1,))) == ()


def test_says_how_alike_they_are():
    (found,) = input_blind(history(look(chain=chain(*parts(0.4, 0.9, 0.98))), losses=flat()))
    assert (found.severity, found.where) == ("critical", "layers.2")
    assert found.sentence == (
        "At `layers.2` the features of different inputs are alike (mean cosine 0.980; 0.40 at `layers.0`): "
        "3 links in a row leave no difference, though each keeps the size."
    )


def test_where_learning_goes_on_it_is_a_note():
    (found,) = input_blind(history(look(chain=chain(*parts(0.4, 0.9, 0.98)))))
    assert found.severity == "note"


@pytest.mark.parametrize(
    ("similarities", "numbers"),
    [((0.98, 0.985, 0.99), {}), ((0.4, 0.9, 0.96), {}), ((0.4, None, None), {}), ((0.4, 1.0, 1.0), {"dead": 1.0})],
    ids=["inputs alike already", "not alike", "unknown", "dead"],
)
def test_is_silent_where_the_chain_did_not_do_it(similarities, numbers):
    assert input_blind(history(look(chain=chain(*parts(*similarities, **numbers))), losses=flat())) == ()
