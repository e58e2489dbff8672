import math
from dataclasses import replace

import pytest

from evenkeel.symptoms.harm import FEWEST_STEPS, harm, harmed, level, severity
from symptoms._made import falling, flat, history
from symptoms._runs import adam, cross_entropy, digits, mlp, of_classes, run


@pytest.mark.parametrize(("rate", "grade"), [(1e-9, "critical"), (3e-3, "note")])
def test_a_network_that_learns_is_not_harmed_and_one_that_does_not_is(rate, grade):
    model = mlp([64, 32, 10])
    seen = run(model, cross_entropy, digits(), adam(model, rate), 60, looks=(), start=of_classes(10, 0.3))
    assert severity(seen) == grade
    assert harmed(seen) == (grade == "critical")
    assert severity(replace(seen, start=None)) == grade


@pytest.mark.parametrize("losses", [[1.0] * (FEWEST_STEPS - 1), [math.nan] * 30, []])
def test_too_little_seen_is_no_judgement(losses):
    assert harm(history(losses=losses) if losses else replace(history(), losses=())) is None


def test_a_loss_that_overflowed_for_good_is_harm():
    ended = history(losses=[*falling(20), math.inf, math.nan, math.nan, math.nan], non_finite_steps=4)
    assert harm(ended) == 1.0
    recovered = history(losses=[*falling(20), math.nan, *falling(20)], non_finite_steps=1)
    assert harm(recovered) == 0.0


def test_nothing_to_be_learned_is_no_harm():
    assert harm(history(losses=flat(), start=of_classes(2, reachable=0.69))) is None


def test_harm_is_the_share_that_is_not_learned():
    at = math.log(10) - 0.5 * (math.log(10) - 0.3)
    seen = history(losses=[at] * 40, start=of_classes(10, reachable=0.3))
    assert harm(seen) == pytest.approx(0.5)
    assert severity(seen) == "warning"


def test_level_is_the_end():
    assert level([5.0, 4.0, 3.0, 2.0, 1.0]) == 2.0
    assert level([9.0] * 16 + [1.0] * 4) == 1.0
