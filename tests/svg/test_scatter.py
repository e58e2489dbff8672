import math

import numpy as np
import pytest

from evenkeel.errors import DataError
from evenkeel.svg.scatter import sample, scatter_chart


def test_points_are_thinned_and_the_chart_says_so(sound, texts):
    values = np.arange(5000.0)
    drawn = scatter_chart(values, values, title="t", most=1200)
    assert drawn.count("<circle") == 1200
    assert "1,200 of 5,000 points" in texts(sound(drawn))


def test_the_same_points_are_drawn_every_time():
    assert sample(np.arange(900), 40).tolist() == sample(np.arange(900), 40).tolist()
    assert sample(np.arange(30), 40).tolist() == list(range(30))


def test_points_that_are_not_finite_are_left_out():
    drawn = scatter_chart([1, 2, math.nan, 4], [1, math.inf, 3, 4], title="t")
    assert drawn.count("<circle") == 2


def test_the_diagonal_runs_from_corner_to_corner(sound):
    lines = [
        node.attrib
        for node in sound(scatter_chart([0, 1], [5, 9], title="t", reference="diagonal")).iter()
        if node.get("stroke-dasharray")
    ]
    assert len(lines) == 1
    assert float(lines[0]["y1"]) > float(lines[0]["y2"]) and float(lines[0]["x1"]) < float(lines[0]["x2"])


def test_unequal_lengths_are_refused():
    with pytest.raises(DataError, match="as many x as y, got 2 and 1"):
        scatter_chart([1, 2], [1], title="t")
