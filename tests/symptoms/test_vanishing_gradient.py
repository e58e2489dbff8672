import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from evenkeel.symptoms import vanishing_gradient
from symptoms._made import chain, flat, history, link, links, look, over_time
from symptoms._runs import adam, blobs, cross_entropy, descent, he, initialised, mlp, moons, of_classes, run


def small(weight):
    return nn.init.uniform_(weight, -0.05, 0.05)


def he_uniform(weight):
    return nn.init.kaiming_uniform_(weight, nonlinearity="relu")


SICK = {
    "sigmoid, He": (lambda: initialised(mlp([2, *[8] * 10, 3], nn.Sigmoid), he_uniform), "activation"),
    "sigmoid, torch's own": (lambda: mlp([2, *[5] * 12, 3], nn.Sigmoid), "activation"),
    "small weights": (lambda: initialised(mlp([2, *[5] * 8, 3]), small), "initialisation"),
    "tanh, small weights": (lambda: initialised(mlp([2, *[16] * 8, 3], nn.Tanh), small), "initialisation"),
}
HEALTHY = {
    "tanh": lambda: initialised(mlp([2, *[16] * 8, 3], nn.Tanh), nn.init.xavier_uniform_),
    "ReLU": lambda: initialised(mlp([2, *[32] * 8, 3]), he),
}


class LastStep(nn.Module):
    """A recurrent net whose last output is the answer."""

    def __init__(self, cell):
        super().__init__()
        self.cell, self.head = cell, nn.Linear(cell.hidden_size, 2)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


def first_step_tells(length, count=4):
    """Noise, whose first step says the class."""
    target = torch.arange(32) % 2
    batches = []
    for _ in range(count):
        x = 0.1 * torch.randn(32, length, 2)
        x[:, 0, 0] += 2.0 * target - 1
        batches.append((x, target))
    return batches


@pytest.mark.parametrize("name", SICK)
def test_is_found_with_its_cause(name):
    make, cause = SICK[name]
    model = make()
    found = vanishing_gradient(run(model, cross_entropy, blobs(), adam(model), 80, looks=(1,), start=of_classes(3)))
    assert [each.cause for each in found] == [cause]
    assert found[0].severity != "note"
    assert found[0].evidence["gain"] < 1e-4


@pytest.mark.parametrize("name", HEALTHY)
def test_is_silent_on_a_sound_network(name):
    model = HEALTHY[name]()
    assert vanishing_gradient(run(model, cross_entropy, blobs(), adam(model, 3e-3), 80, looks=(1, 40))) == ()


def test_a_long_chain_that_learns_all_the_same_is_a_note():
    model = mlp([2, *[64] * 7, 2])
    (found,) = vanishing_gradient(run(model, cross_entropy, moons(), adam(model, 3e-3), 120, looks=(1,)))
    assert (found.severity, found.cause) == ("note", "initialisation")
    assert found.sentence.endswith(" Adam's steps do not shrink with it, and no harm is seen.")


def test_over_time_it_is_depth():
    model = LastStep(nn.RNN(2, 16, batch_first=True))
    batches = first_step_tells(60)
    start = of_classes(2)
    found = vanishing_gradient(run(model, cross_entropy, batches, descent(model, 0.01), 40, looks=(1,), start=start))
    assert [(each.severity, each.where, each.cause) for each in found] == [("critical", "cell, over time", "depth")]
    assert 5 < found[0].evidence["span"] < 30


def test_a_short_sequence_is_no_such_thing():
    model = LastStep(nn.RNN(2, 16, batch_first=True))
    assert vanishing_gradient(run(model, cross_entropy, first_step_tells(4), adam(model, 1e-2), 40, looks=(1,))) == ()


def test_says_what_the_activation_does():
    part = link("0", gain=0.1, expected_gain=0.38, ideal_gain=0.39, activation="sigmoid")
    parts = [replace(part, name=f"layers.{number}") for number in range(6)]
    (found,) = vanishing_gradient(history(look(chain=chain(*parts, link("head"))), losses=flat()))
    assert (found.where, found.cause, found.severity) == ("layers.0 to layers.5", "activation", "critical")
    assert found.sentence == (
        "Only 0.0001 % of the gradient at `layers.5` comes out below `layers.0`: "
        "even at its best initialisation each sigmoid layer passes on 0.39 of it."
    )


def test_says_what_the_weights_do():
    (found,) = vanishing_gradient(history(look(chain=chain(*links(4, gain=0.1, expected_gain=0.1))), losses=flat()))
    assert found.sentence == (
        "Only 0.01 % of the gradient at `layers.3` comes out below `layers.0`: "
        "the weights there start at a size that passes on 0.1 of it a layer."
    )


def test_says_that_the_chain_is_long():
    (found,) = vanishing_gradient(history(look(chain=chain(*links(20, gain=0.7))), losses=flat(), optimizer="descent"))
    assert (found.cause, found.severity) == ("depth", "critical")
    assert found.sentence == (
        "Only 0.08 % of the gradient at `layers.19` comes out below `layers.0`: "
        "each link is near what it should be, but 20 in a row lose it."
    )


def test_weights_that_cancel_are_no_random_draw():
    parts = (link("0"), link("1"), link("2", gain=1e-7, expected_gain=0.9))
    (found,) = vanishing_gradient(history(look(chain=chain(*parts)), losses=flat()))
    assert (found.where, found.cause) == ("2", "initialisation")
    assert found.sentence == (
        "Only 1e-05 % of the gradient passes `2`: the weights there are no random draw, and cancel each other."
    )


def test_says_after_how_many_steps_it_is_forgotten():
    seen = look(chain=chain(over_time(0.5), link("head")))
    (found,) = vanishing_gradient(history(seen, losses=flat()))
    assert found.sentence == (
        "In `cell` the gradient keeps 0.5 of itself a step: 0.1 % is left after 10 of the 20 steps, "
        "so what came earlier is not learned."
    )
    assert vanishing_gradient(history(seen)) == ()


def test_later_in_training_it_is_not_the_initialisation():
    sound, worn = chain(*links(10)), chain(*links(10, gain=0.3))
    (found,) = vanishing_gradient(history(look(chain=sound), look(64, chain=worn), losses=flat()))
    assert found.cause == "depth"
    assert found.sentence == (
        "By step 64, only 0.00059 % of the gradient at `layers.9` comes out below `layers.0`; "
        "at the first weights it was sound."
    )
    broken = chain(*links(3), link("3", gain=1e-6))
    (found,) = vanishing_gradient(history(look(chain=sound), look(64, chain=broken), losses=flat()))
    assert found.cause == "learning-rate"
    assert vanishing_gradient(history(look(chain=sound), look(64, chain=worn))) == ()


def test_a_mild_loss_is_not_all_that_stops_an_adaptive_optimizer():
    seen = look(chain=chain(*links(5, gain=0.3, expected_gain=0.3)))
    grades = [
        found.severity
        for optimizer in ("adaptive", "descent")
        for found in vanishing_gradient(history(seen, losses=flat(), optimizer=optimizer))
    ]
    assert grades == ["warning", "critical"]


@pytest.mark.parametrize(
    "parts",
    [
        (link("0"), link("1", gain=0.0, dead=1.0), link("2")),
        (link("0", gain=0.0), link("1", gain=math.nan), link("2")),
        (link("0", gain=None), link("1", gain=None)),
        (link("0"), link("1"), link("2", gain=1e-9, activation="softmax")),
        (),
    ],
    ids=["dead", "not a number", "no gain", "output activation", "nothing"],
)
def test_is_silent_on_what_is_another_matter(parts):
    assert vanishing_gradient(history(look(chain=chain(*parts)), losses=flat())) == ()
