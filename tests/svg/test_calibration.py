import math

import pytest

from evenkeel.errors import DataError
from evenkeel.svg.calibration import LARGEST, calibration_chart

SVG = "{http://www.w3.org/2000/svg}"


def points(root):
    return list(root.iter(f"{SVG}circle"))


def test_a_perfect_forecast_lies_on_the_diagonal(sound):
    root = sound(calibration_chart([0.0, 0.5, 1.0], [0.0, 0.5, 1.0], title="t"))
    line = next(node for node in root.iter(f"{SVG}line") if node.get("stroke-opacity") == "0.5")
    first, _, last = points(root)
    assert (first.get("cx"), first.get("cy")) == (line.get("x1"), line.get("y1"))
    assert (last.get("cx"), last.get("cy")) == (line.get("x2"), line.get("y2"))


def test_points_grow_with_their_examples_and_say_how_many(sound):
    small, large = points(sound(calibration_chart([0.2, 0.8], [0.3, 0.7], title="t", count=[4, 400])))
    assert float(small.get("r")) < float(large.get("r")) == LARGEST
    assert large[0].text == "said 80.0\u202f%, happened 70.0\u202f%, 400 examples"


def test_empty_bins_are_left_out(sound):
    root = sound(calibration_chart([0.1, 0.5, 0.9], [math.nan, 0.5, 0.9], title="t", count=[0, 5, 5]))
    assert len(points(root)) == 2


def test_unequal_lengths_are_refused():
    with pytest.raises(DataError, match="`predicted`, `happened` and `count` of one length"):
        calibration_chart([0.1], [0.1, 0.2], title="t")
