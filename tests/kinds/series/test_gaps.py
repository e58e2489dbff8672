import numpy as np
import pytest

from evenkeel.errors import DataError
from evenkeel.kinds.series.gaps import require_known, require_windows, usable_windows


@pytest.mark.parametrize("share", [0.0, 0.05, 0.4])
@pytest.mark.parametrize("window, horizon", [(6, 3), (5, 1)])
def test_windows_are_judged_as_one_by_one(share, window, horizon):
    missing = np.random.default_rng(0).random((60, 3)) < share
    starts = np.arange(0, 60 - window - horizon + 1, 2)
    found = usable_windows(missing, starts, window, horizon)
    ahead = behind = 0
    for row, start in enumerate(starts):
        for channel in range(3):
            past = missing[start : start + window, channel]
            future = missing[start + window : start + window + horizon, channel]
            ahead += future.any()
            behind += past.sum() > window / 2 and not future.any()
            assert found.keep[row, channel] == (not future.any() and past.sum() <= window / 2)
    assert (found.ahead, found.behind) == (ahead, behind)
    assert share or found.keep.all()


def test_half_of_a_window_may_be_missing():
    half, more = (np.arange(9)[:, None] < count for count in (3, 4))
    assert usable_windows(half, np.array([0]), 6, 3).keep.all()
    assert not usable_windows(more, np.array([0]), 6, 3).keep.any()


def test_what_is_left_out_is_told():
    missing = np.zeros((12, 1), bool)
    assert usable_windows(missing, np.arange(4), 6, 3).text == ""
    missing[11] = True
    assert usable_windows(missing, np.arange(4), 6, 3).text == "1 with gaps in the steps to come"
    missing[:4] = True
    told = "1 with gaps in the steps to come and 1 that are missing for more than half"
    assert usable_windows(missing, np.arange(4), 6, 3).text == told


def test_nothing_left_is_refused():
    missing = np.zeros((10, 2), bool)
    missing[8] = True
    with pytest.raises(DataError, match="none of the 4 windows of the test part can be used: 4 with gaps in the steps"):
        require_windows(usable_windows(missing, np.arange(2), 6, 3), "the test part")
    require_windows(usable_windows(missing, np.arange(0), 6, 3), "a part that was not asked for")
    missing[8, 1] = False
    require_windows(usable_windows(missing, np.arange(2), 6, 3), "the test part")


def test_a_window_that_is_mostly_missing_is_nothing_to_forecast_from():
    missing = np.zeros((10, 2), bool)
    missing[:5, 1] = True
    require_known(missing, ("a", "b"))
    missing[5, 1] = True
    with pytest.raises(DataError, match="column 'b' misses 6 of the last 10 values, more than half of the window"):
        require_known(missing, ("a", "b"))
