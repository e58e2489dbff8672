import math
from xml.etree import ElementTree

import pytest

from evenkeel.errors import DataError
from evenkeel.svg.marks import SERIES, colour, element, pixel, ribbon, segment, trail, words

NAN = math.nan


def test_elements_escape_their_attributes_and_leave_out_none():
    drawn = element("rect", x=1.5, fill='"><script>', opacity=None, stroke_width=2)
    assert drawn == '<rect x="1.5" fill="&quot;&gt;&lt;script&gt;" stroke-width="2"/>'


@pytest.mark.parametrize("value", [NAN, math.inf, -math.inf])
def test_a_length_that_is_not_finite_is_refused(value):
    with pytest.raises(DataError, match=r"cx must be a finite number, got .*; leave out points"):
        element("circle", cx=value)


@pytest.mark.parametrize(
    ("value", "written"), [(0, "0"), (-0.001, "0"), (100, "100"), (3.14159, "3.14"), (-2.5, "-2.5")]
)
def test_pixels_are_short(value, written):
    assert pixel(value) == written


def test_trails_break_at_gaps_and_dot_lone_points():
    assert trail([0, 1, 2, 3, 4], [1, 1, NAN, 2, 2]) == "M0 1L1 1M3 2L4 2"
    assert trail([0, 1, 2], [NAN, 1, NAN]) == "M1 1h0"
    assert trail([], []) == ""


def test_ribbons_are_closed_areas_and_break_at_gaps():
    area = ribbon([0, 1, 2, 3, 4], [9, 9, NAN, 8, 8], [5, 5, 5, 4, 4])
    assert area == "M0 9L1 9L1 5L0 5ZM3 8L4 8L4 4L3 4Z"
    assert ribbon([], [], []) == ""


def test_words_are_escaped_and_turned():
    node = ElementTree.fromstring(words("a < b", 3, 4, turn=-45, anchor="end", hover="all <of> it"))
    assert node.get("transform") == "rotate(-45 3 4)" and node.get("text-anchor") == "end"
    assert node[0].text == "all <of> it" and node[0].tail == "a < b"


def test_segments_and_the_palette():
    assert segment(0, 1, 2, 3) == '<line x1="0" y1="1" x2="2" y2="3"/>'
    assert len(set(SERIES)) == 6 and colour(7) == SERIES[1]
