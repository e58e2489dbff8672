import math

import numpy as np
import pytest

from evenkeel.errors import DataError
from evenkeel.svg.scale import AxisScale, drawable, fit_scale, numbers, position, positions, stretch, ticks


def test_positions_are_linear_between_the_ends():
    scale = AxisScale(low=-1.0, high=3.0, start=200.0, stop=0.0)
    assert positions(scale, [-1, 0, 3]).tolist() == [200.0, 150.0, 0.0]


def test_logarithmic_positions_match_the_formula():
    scale = AxisScale(low=1e-4, high=10.0, start=0.0, stop=500.0, kind="log")
    values = [3e-4, 0.2, 7.0]
    expected = [500 * (math.log10(value) + 4) / 5 for value in values]
    np.testing.assert_allclose(positions(scale, values), expected, rtol=1e-12)


def test_what_cannot_be_drawn_has_no_position():
    scale = AxisScale(low=0.1, high=1.0, kind="log")
    assert np.isnan(positions(scale, [0.0, -1.0, math.nan, math.inf])).all()
    assert np.isnan(positions(AxisScale(low=0.0, high=1.0), [math.nan, -math.inf, None])).all()
    assert drawable([1, 0, -1, None], "log").tolist() == [True, False, False, False]


@pytest.mark.parametrize("kind", ["linear", "log"])
@pytest.mark.parametrize("data", [[], [math.nan], [4.0], [4.0, 4.0], [1e-3, 1e5], [1e308, 1e-308], [0.0], [5e-324]])
def test_a_fitted_scale_shows_all_that_can_be_drawn(data, kind):
    scale = fit_scale([data], kind=kind)
    shown = numbers(data)[drawable(data, kind)]
    assert math.isfinite(scale.low) and math.isfinite(scale.high) and scale.low < scale.high
    assert ((scale.low <= shown) & (shown <= scale.high)).all()
    assert np.isfinite(positions(scale, shown)).all()
    assert len(ticks(scale)) >= 1


def test_included_numbers_end_the_scale_without_further_room():
    scale = fit_scale([[2.0, 8.0]], include=[0], room=0.1)
    assert scale.low == 0.0 and scale.high == pytest.approx(8.8)


def test_stretching_changes_only_the_pixels():
    scale = stretch(AxisScale(low=2.0, high=4.0), 300, 20)
    assert (scale.low, scale.high, scale.start, scale.stop) == (2.0, 4.0, 300.0, 20.0)
    assert position(scale, 3) == 160.0


def test_impossible_scales_are_refused():
    with pytest.raises(DataError, match=r"finite low < high, got 1\.0 and 1\.0; fit_scale"):
        AxisScale(low=1.0, high=1.0)
    with pytest.raises(DataError, match="finite low < high"):
        AxisScale(low=0.0, high=math.inf)
    with pytest.raises(DataError, match=r"log scale needs low > 0, got 0\.0"):
        AxisScale(low=0.0, high=1.0, kind="log")
