import math

import pytest

from evenkeel.symptoms.stretch import (
    against_theory,
    blame,
    blocked,
    body,
    departure,
    explains,
    finite,
    latest,
    opening,
    reference,
    stretch,
)
from symptoms._made import chain, flat, history, link, links, look, term


def test_the_departure_is_the_distance_from_the_references():
    parts = (link("0", gain=0.1), link("1", gain=0.1, ideal_gain=0.2), link("2", gain=0.5, ideal_gain=None))
    found = departure(look(chain=chain(*parts)))
    assert found is not None and found.gain == pytest.approx(0.005)
    assert found.decades == pytest.approx(math.log10(0.005 / 0.2))
    assert found.reaches(-1.0) and not found.reaches(-2.0) and not found.reaches(1.0)


def test_chance_is_no_departure():
    found = departure(look(chain=chain(*links(10, gain=0.5, scatter=10.0))))
    assert found is not None and found.decades < -3
    assert not found.reaches(-2.0)


def test_an_activation_that_passes_on_little_is_measured_against_one():
    assert reference(link(ideal_gain=0.4, activation="sigmoid")) == 1.0
    assert reference(link(ideal_gain=0.4, kind="pool", terms=())) == 0.4
    assert reference(link(ideal_gain=math.nan)) == 1.0


def test_what_follows_the_last_weights_belongs_to_the_output():
    parts = (link("0"), link("1", activation="relu"), link("2", activation="softmax"), link("div", terms=()))
    assert [part.name for part in body(chain(*parts))] == ["0", "1"]


@pytest.mark.parametrize("stop", [{"dead": 1.0}, {"terms": (term(rms=0.0),)}])
def test_a_link_that_lets_nothing_pass_is_another_matter(stop):
    assert blocked(link(**stop)) and not blocked(link())
    assert departure(look(chain=chain(link("0"), link("1", **stop)))) is None


def test_the_opening_is_the_first_chain_that_tells():
    silent, telling = chain(link("0", terms=(term(rms=0.0),))), chain(*links(2, gain=1e-3))
    seen = history(look(1), look(2, silent), look(4, telling), losses=flat())
    first, last = opening(seen), latest(seen)
    assert first is not None and last is not None and first.look.step == last.look.step == 4
    assert explains(seen) and not explains(history())


def test_the_stretch_is_where_most_is_lost():
    gains = (1.0, 0.1, 1.2, 0.1, 1.0, 3.0)
    parts = [link(str(number), gain=gain) for number, gain in enumerate(gains)]
    worst = stretch(parts, -1.0)
    assert worst.where == "1 to 3"
    assert worst.gain == pytest.approx(0.012) and worst.decades == pytest.approx(math.log10(0.012))
    assert stretch(parts, 1.0).where == "5"


def test_its_ends_are_weighted_links():
    parts = (link("view", gain=0.9, terms=()), link("0", gain=0.1), link("pool", gain=0.9, terms=()))
    assert stretch(parts, -1.0).where == "0"


@pytest.mark.parametrize(
    ("numbers", "count", "cause"),
    [
        ({"gain": 0.1, "expected_gain": 0.1}, 4, "initialisation"),
        ({"gain": 0.1, "expected_gain": 0.1, "ideal_gain": 0.3, "activation": "sigmoid"}, 6, "activation"),
        ({"gain": 0.5, "expected_gain": 1.0}, 10, "depth"),
        ({"gain": 0.5, "expected_gain": None, "ideal_gain": None}, 10, "depth"),
        ({"gain": 1e-6, "expected_gain": 1.0}, 2, "initialisation"),
    ],
)
def test_theory_names_the_cause(numbers, count, cause):
    assert blame(stretch(links(count, **numbers), -1.0)) == cause


def test_only_what_no_chance_explains_is_against_theory():
    assert against_theory((link(gain=1e-3), link(gain=0.1)), -1.0) == pytest.approx(3.0)
    assert against_theory((), -1.0) == 0.0


def test_finite_is_a_number_or_nothing():
    assert finite(math.inf) is None and finite(0.0) == 0.0
