from xml.etree import ElementTree

import numpy as np
import pytest

from evenkeel.errors import ShapeError
from evenkeel.page import Report, Sentence, render
from evenkeel.page.forecasts import ShownForecast, forecasts_section


def shown(name="load", ends=True, history=10, horizon=4):
    mean = np.arange(float(horizon))
    low, high = (mean - 1, mean + 1) if ends else (None, None)
    return ShownForecast(name=name, history=np.zeros(history), truth=mean + 0.5, mean=mean, low=low, high=high)


def test_each_window_is_a_chart_with_its_band():
    section = forecasts_section([shown("load <1>"), shown("heat")], "1 h")
    assert section.svg.count("<svg") == 2 and section.svg.count("90 % interval") == 2
    assert "load &lt;1&gt;" in section.svg and "steps of 1 h after what was known" in section.svg
    assert "nine in ten" in section.caption and "another part" in section.caption
    page = render(Report(title="t", verdict=[Sentence(text="s")], extra=[section]))
    ElementTree.fromstring(page.split("\n", 1)[1])


def test_without_a_distribution_there_is_no_band():
    section = forecasts_section([shown(ends=False)])
    assert "90 %" not in section.svg and section.caption == ""


def test_no_more_than_four_are_drawn_and_nothing_of_nothing():
    assert forecasts_section([shown(str(number)) for number in range(9)]).svg.count("<svg") == 4
    assert forecasts_section([]) is None


def test_a_long_history_is_cut_to_what_the_eye_can_use():
    short, long = (forecasts_section([shown(history=steps)]).svg for steps in (8, 5000))
    assert short == long


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ShapeError, match=r"needs \(step,\) arrays of one horizon, got \[\(3,\), \(4,\)\]"):
        ShownForecast(name="x", history=np.zeros(3), truth=np.zeros(3), mean=np.zeros(4))
