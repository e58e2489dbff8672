import math

import numpy as np
import pytest

from evenkeel.svg.histogram import bin_edges, histogram_chart


def test_bars_are_as_high_as_the_counts(sound):
    root = sound(histogram_chart([0.5] * 30 + [1.5] * 10, title="t", bins=2, limits=(0.0, 2.0)))
    heights = [float(node.get("height")) for node in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert len(heights) == 2 and heights[0] == pytest.approx(3 * heights[1], abs=0.03)


@pytest.mark.parametrize("size", [1, 10, 1000, 100_000])
def test_the_number_of_bins_grows_slowly(size):
    edges = bin_edges(np.random.default_rng(0).normal(size=size))
    assert 5 <= len(edges) - 1 <= 40 and (np.diff(edges) > 0).all()


def test_whole_numbers_get_a_bin_each():
    assert bin_edges(np.array([3.0, 5.0, 8.0])).tolist() == [2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5]


def test_values_that_are_not_finite_are_left_out(sound):
    assert histogram_chart([1.0, math.nan, 2.0, math.inf], title="t") == histogram_chart([1.0, 2.0], title="t")


def test_an_expected_level_is_in_the_legend(sound, texts):
    drawn = histogram_chart([0.2, 0.4], title="t", bins=2, limits=(0.0, 1.0), expected=1, expected_label="uniform")
    assert "uniform" in texts(sound(drawn))
