import math

import numpy as np
import pytest

from evenkeel.errors import DataError
from evenkeel.svg.line import LONE, Band, Marker, Series, line_chart, thin


def test_series_band_and_marker_are_drawn(sound, texts):
    steps = [0, 1, 2]
    drawn = line_chart(
        [Series(name="training", x=steps, y=[3, 2, 1]), Series(name="", x=steps, y=[1, 1, 1], stroke="faint")],
        title="Loss",
        band=Band(name="healthy", x=steps, low=[0, 0, 0], high=[2, 2, 2]),
        markers=[Marker(x=1, label="best")],
    )
    root = sound(drawn)
    assert drawn.count("<path") == 3
    assert {"training", "healthy", "best"} <= set(texts(root)) and "" not in texts(root)


def test_a_marker_at_the_right_end_writes_to_its_left():
    series = [Series(name="a", x=[0, 10], y=[1, 2])]
    assert 'text-anchor="end">best<' in line_chart(series, title="t", markers=[Marker(x=10, label="best")]).replace(
        ' fill="var(--ek-muted, currentColor)"', ""
    )


def test_a_single_point_is_a_visible_dot():
    assert f'stroke-width="{LONE:g}"' in line_chart([Series(name="a", x=[1], y=[2])], title="t")


def test_a_logarithmic_axis_leaves_gaps_where_values_are_not_positive():
    drawn = line_chart([Series(name="a", x=[0, 1, 2, 3, 4], y=[1, 2, 0, 3, 4])], title="t", y_kind="log")
    path = drawn.split('<path d="')[1].split('"')[0]
    assert path.count("M") == 2


@pytest.mark.parametrize("seed", range(3))
def test_thinning_keeps_ends_extremes_and_gaps(seed):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=20_000)
    values[generator.integers(20_000)] = 50.0
    values[5000:6000] = math.nan
    kept = thin(values, 200)
    assert len(kept) <= 204 and kept[0] == 0 and kept[-1] == 19_999
    assert (np.diff(kept) > 0).all()
    assert np.nanargmax(values) in kept and np.nanargmin(values) in kept
    assert np.isnan(values[kept]).any()


def test_a_million_points_make_a_small_drawing():
    series = Series(name="a", x=np.arange(1_000_000), y=np.sin(np.arange(1_000_000)))
    assert len(line_chart([series], title="t")) < 25_000


def test_unequal_lengths_are_refused():
    with pytest.raises(DataError, match=r"series 'a' needs as many x as y, got 2 and 1"):
        Series(name="a", x=[1, 2], y=[1])
    with pytest.raises(DataError, match="band 'b' needs x, low and high of one length, got 1, 1 and 2"):
        Band(name="b", x=[1], low=[1], high=[1, 2])
