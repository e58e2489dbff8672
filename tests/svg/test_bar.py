import math

import pytest

from evenkeel.errors import DataError
from evenkeel.svg.bar import bar_chart


def bars(root):
    return [float(node.get("width")) for node in root.iter("{http://www.w3.org/2000/svg}rect")]


def test_bars_are_as_long_as_their_values(sound):
    widths = bars(sound(bar_chart(["a", "b", "c"], [1, 2, 4], title="t")))
    assert widths[1] == pytest.approx(2 * widths[0], abs=0.02) and widths[2] == pytest.approx(4 * widths[0], abs=0.04)


def test_negative_bars_leave_room_for_their_numbers(sound, texts):
    root = sound(bar_chart(["a", "b"], [-2, 3], title="t"))
    assert {"−2.00", "3.00"} <= set(texts(root)) and min(bars(root)) > 0


def test_a_missing_value_is_a_dash_without_a_bar(sound, texts):
    root = sound(bar_chart(["a", "b"], [math.nan, 1.0], title="t"))
    assert "–" in texts(root) and len(bars(root)) == 1


def test_written_texts_replace_the_numbers(sound, texts):
    assert "half" in texts(sound(bar_chart(["a"], [0.5], title="t", written=["half"])))


def test_a_long_name_is_cut_and_told_in_full(sound, texts):
    name = "the mean concave points of the nucleus, worst of three"
    drawn = bar_chart([name], [1], title="t")
    assert name not in texts(sound(drawn)) and f"<title>{name}</title>" in drawn


def test_unequal_lengths_are_refused():
    with pytest.raises(DataError, match="a value and a spread per name, got 2, 1, 2"):
        bar_chart(["a", "b"], [1], title="t")
