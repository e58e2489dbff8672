import math

import numpy as np
import pytest

from evenkeel.errors import DataError
from evenkeel.svg.interval import interval_chart
from evenkeel.svg.marks import INK, colour

SVG = "{http://www.w3.org/2000/svg}"


def dots(root, fill):
    groups = [node for node in root.iter(f"{SVG}g") if node.get("fill") == fill]
    return sum(len(group) for group in groups)


def test_the_truth_is_coloured_by_whether_it_is_inside(sound):
    root = sound(interval_chart([1, 2, 3], [0, 1, 2], [2, 3, 4], truth=[1.5, 9.0, 3.0], title="t"))
    assert dots(root, INK) == 2 and dots(root, colour(1)) == 1


def test_many_intervals_are_thinned_evenly(sound):
    centre = np.random.default_rng(0).normal(size=1000)
    root = sound(interval_chart(centre, centre - 1, centre + 1, truth=centre, title="t", most=50))
    assert dots(root, INK) == 50


def test_intervals_stand_in_the_order_of_prediction():
    assert interval_chart([3, 1], [2, 0], [4, 2], title="t") == interval_chart([1, 3], [0, 2], [2, 4], title="t")


def test_rows_with_a_gap_are_left_out(sound):
    root = sound(interval_chart([1, math.nan], [0, 1], [2, 3], truth=[1, 2], title="t"))
    assert dots(root, INK) == 1


def test_unequal_lengths_are_refused():
    with pytest.raises(DataError, match=r"columns of one length, got \[2, 1, 2\]"):
        interval_chart([1, 2], [0], [2, 3], title="t")
