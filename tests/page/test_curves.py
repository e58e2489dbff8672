import math

import pytest

from evenkeel.page import Curve
from evenkeel.page.curves import curves_section, duration


def test_the_sentence_names_updates_time_and_what_was_kept(make, said):
    words = said(curves_section(make["curves_section"]()))
    assert "3 updates in 3.2 s." in words and "The weights of update 3 were kept" in words
    assert "kept" not in said(curves_section(make["curves_section"](best_update=None)))


def test_only_what_was_measured_is_drawn(make):
    assert curves_section(make["curves_section"]()).count("<svg") == 3
    alone = make["curves_section"](validation=None, metric=None, learning_rate=None)
    assert curves_section(alone).count("<svg") == 1


def test_a_loss_that_falls_far_gets_a_logarithmic_axis(make):
    far = Curve(name="training", updates=[0, 1, 2], values=[100.0, 1.0, 0.01])
    below_zero = Curve(name="training", updates=[0, 1, 2], values=[100.0, 1.0, -0.01])
    assert "logarithmic" in curves_section(make["curves_section"](training=far))
    assert "logarithmic" not in curves_section(make["curves_section"](training=below_zero))
    assert "logarithmic" not in curves_section(make["curves_section"]())


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf]])
def test_a_training_without_a_finite_loss_still_has_a_page(values, make, said):
    nothing = Curve(name="training", updates=list(range(len(values))), values=values)
    section = make["curves_section"](training=nothing, validation=None, metric=None, learning_rate=None)
    assert "nothing to show" in said(curves_section(section))


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.84, "0.8 s"), (42, "42 s"), (59.99, "60 s"), (185, "3 min 5 s"), (7810, "2 h 10 min"), (math.nan, "–")],
)
def test_durations(seconds, written):
    assert duration(float(seconds)) == written


def test_only_a_long_noisy_training_curve_is_faint(make):
    many = Curve(name="training", updates=list(range(500)), values=[1.0 + 0.01 * (i % 7) for i in range(500)])
    assert 'stroke-opacity="0.55"' in curves_section(make["curves_section"](training=many))
    assert 'stroke-opacity="0.55"' not in curves_section(make["curves_section"]())
