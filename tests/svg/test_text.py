import math

import numpy as np
import pytest

from evenkeel.svg.text import escape, number, percent, scientific, shorten, text_width


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (0.0, "0.000"),
        (1234567, "1,234,567"),
        (-3, "−3"),
        (np.int64(12), "12"),
        (0.04567, "0.0457"),
        (0.5, "0.500"),
        (9.996, "10.00"),
        (51.26, "51.3"),
        (-1234.5, "−1,234"),
        (np.float32(2.5), "2.50"),
        (1e-5, "1.00×10⁻⁵"),
        (2.5e13, "2.50×10¹³"),
        (math.nan, "–"),
        (None, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_as_they_are_written(value, written):
    assert number(value) == written


def test_percentages():
    assert percent(0.5) == "50\u202f%"
    assert percent(math.nan) == percent(None) == "–"
    assert scientific(-3.2e-7, 1) == "−3.2×10⁻⁷"


def test_escape_leaves_no_markup_and_no_control_characters():
    assert escape("<a href='x'>&\x00\x08\ufffe") == "&lt;a href=&#x27;x&#x27;&gt;&amp;"
    assert escape("\ud800lone") == "lone"
    assert escape(3) == "3"


@pytest.mark.parametrize("words", ["", "loss", "a much longer name of a column", "価格（円）", "🎲🎲🎲"])
@pytest.mark.parametrize("room", [0, 20, 60, 400])
def test_a_shortened_text_fits_its_room(words, room):
    short = shorten(words, 12, room)
    assert text_width(short, 12) <= room or short in ("…", "")
    assert short == words or short.endswith("…")


def test_wide_characters_need_more_room():
    assert text_width("価格", 10) == 20.0
    assert text_width("ill", 10) < text_width("ann", 10) < text_width("WWW", 10)
