import numpy as np

from evenkeel.page.regression import regression_section


def test_intervals_are_counted(make, said):
    section = make["regression_section"]()
    held = sum(low <= y <= high for y, low, high in zip(section.truth, section.lower, section.upper, strict=True))
    words = said(regression_section(section))
    assert f"({held} of 12)" in words and 0 < held < 12
    assert "Of the 90 % intervals" in words.replace("\u202f", " ")


def test_plain_regression_has_no_drawings_of_uncertainty(make, said):
    section = make["regression_section"](lower=None, upper=None, pit=None)
    drawn = regression_section(section)
    assert drawn.count("<svg") == 2 and "interval" not in said(drawn)
    assert regression_section(make["regression_section"]()).count("<svg") == 5


def test_honest_distributions_are_covered_as_stated(make):
    section = make["regression_section"](rows=1000)
    circles = regression_section(section).split("Coverage of the intervals")[2].split("</svg>")[0]
    stated_and_seen = [
        tuple(float(part.split(" ")[1].split("\u202f")[0]) for part in tip.split(", "))
        for tip in (piece.split("</title>")[0] for piece in circles.split("<circle")[1:])
        for tip in [tip.split("<title>")[1]]
    ]
    assert len(stated_and_seen) == 19
    assert max(abs(stated - seen) for stated, seen in stated_and_seen) <= 0.2


def test_units_are_on_the_axes(make, said):
    words = said(regression_section(make["regression_section"]()))
    assert "true progression (points)" in words and "truth − prediction (points)" in words


def test_nothing_finite_is_no_obstacle(make, said):
    nothing = np.full(3, np.nan)
    columns = dict.fromkeys(("prediction", "lower", "upper", "pit"), nothing)
    words = said(regression_section(make["regression_section"](truth=nothing, **columns)))
    assert words.startswith("3 test rows.") and "nothing to show" in words
