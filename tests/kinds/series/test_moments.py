from datetime import date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from evenkeel.errors import DataError
from evenkeel.kinds.series.moments import (
    counts_steps,
    in_order,
    read_frame,
    read_times,
    refuse_slips,
    require_times,
)

DAYS = [f"2024-01-{day:02}" for day in range(1, 11)]


def long_table(**columns):
    """Three places below one another, four days each."""
    made = {"date": DAYS[:4] * 3, "load": np.arange(12.0), "place": sorted("abc" * 4), **columns}
    return pl.DataFrame(made)


# An index of times


@pytest.mark.parametrize("name, asked, expected", [("when", None, "when"), (None, None, "time"), ("x", "when", "when")])
@pytest.mark.parametrize("zone", [None, "Europe/Zurich"])
def test_an_index_of_times_becomes_the_first_column(name, asked, expected, zone):
    index = pd.date_range("2024-01-01", periods=4, freq="h", name=name, tz=zone)
    found = read_frame(pd.DataFrame({"load": np.arange(4.0)}, index=index), asked)
    assert found.columns == [expected, "load"] and found["load"].to_list() == [0, 1, 2, 3]
    assert require_times(found[expected]).to_list() == [each.to_pydatetime() for each in index]


def test_an_index_of_periods_stands_for_their_beginnings():
    frame = pd.DataFrame({"load": np.arange(3.0)}, index=pd.period_range("2024-01", periods=3, freq="M"))
    assert read_frame(frame, None)["time"].to_list() == [datetime(2024, month, 1) for month in (1, 2, 3)]


def test_an_index_takes_no_name_that_a_column_has_and_stays_away_where_the_time_is_a_column():
    index = pd.date_range("2024-01-01", periods=3, freq="h", name="load")
    frame = pd.DataFrame({"load": np.arange(3.0), "time": np.arange(3)}, index=index)
    assert read_frame(frame, None).columns == ["index", "load", "time"]
    assert read_frame(frame, "time").columns == ["load", "time"]


@pytest.mark.parametrize("data", [pl.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]}), {"a": [1]}, [{"a": 1}]])
def test_other_tables_stay_as_they_are(data):
    assert read_frame(data, None).to_dict(as_series=False) == {"a": [1]}


def test_the_frame_that_is_given_stays_as_it_is():
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.date_range("2024-01-01", periods=2))
    read_frame(frame, None)
    assert list(frame.columns) == ["a"] and isinstance(frame.index, pd.DatetimeIndex)


# What is a time


def test_months_without_a_day_are_their_first_day():
    assert read_times(pl.Series("m", ["2000-01", "n/a", "2000-03"])).to_list() == [
        date(2000, 1, 1),
        None,
        date(2000, 3, 1),
    ]
    assert read_times(pl.Series("m", ["2000-01", "2000-13"])).to_list() == ["2000-01", "2000-13"]
    assert read_times(pl.Series("m", ["12", "13"])).to_list() == [12, 13]


@pytest.mark.parametrize(
    "values, expected",
    [
        ([0, 1, 2], True),
        ([5, 15, 25], True),
        ([3, 2, 1], False),
        ([0, 1, 3], False),
        ([0, 0, 0], False),
        ([0, 1], False),
        ([0, None, 2], False),
        ([0.0, 1.0, 2.0], False),
        (["0", "1", "2"], False),
    ],
)
def test_what_counts_steps(values, expected):
    assert counts_steps(pl.Series("t", values)) is expected


@pytest.mark.parametrize("slip", ["n/a??", "2024-02-30", "01.02.2024"])
def test_a_slip_is_named_with_its_row(slip):
    values = [*DAYS[:5], slip, *DAYS[6:]]
    with pytest.raises(DataError, match="time column 'd' must hold a time in every row; row 5 holds") as caught:
        refuse_slips(pl.Series("d", values), "moments")
    assert f"row 5 holds {slip!r}; write it like the others, such as '2024-01-01'" in str(caught.value)
    values[8] = "later"
    with pytest.raises(DataError, match=r"row 5 holds .*, and 1 more are no times; write it"):
        require_times(pl.Series("d", values))


def test_a_slip_among_months_or_numbers_is_one_too():
    with pytest.raises(DataError, match="row 3 holds 'x'; write it like the others, such as '2024-01'"):
        refuse_slips(pl.Series("m", ["2024-01", "2024-02", "2024-03", "x"]), "moments")
    numbers = pl.Series("n", ["1", "2", "3", "x"])
    refuse_slips(numbers, "moments")  # numbers with a slip are rather a series than its time
    with pytest.raises(DataError, match="row 3 holds 'x'"):
        refuse_slips(numbers)


def test_other_text_has_no_slips():
    refuse_slips(pl.Series("town", ["bern", "chur", "2024-01-01", None]))
    refuse_slips(pl.Series("d", DAYS))
    refuse_slips(pl.Series("n", [1.0, 2.0]))
    with pytest.raises(DataError, match="'town' must hold dates, moments or numbers, got String such as 'bern'"):
        require_times(pl.Series("town", ["bern", "chur"]))


# The order


def test_what_is_in_order_stays_as_it_is():
    frame = pl.DataFrame({"date": DAYS, "load": np.arange(10)})
    found = in_order(frame, "date")
    assert found.frame.equals(frame) and found.notes == () and found.rows.tolist() == list(range(10))
    assert found.times.to_list() == [datetime(2024, 1, day) for day in range(1, 11)]


@pytest.mark.parametrize("seed", range(3))
def test_rows_are_sorted_with_a_note(seed):
    order = np.random.default_rng(seed).permutation(10)
    frame = pl.DataFrame({"date": DAYS, "load": np.arange(10)})
    found = in_order(frame[order], "date")
    assert found.frame.equals(frame) and order[found.rows].tolist() == list(range(10))
    assert found.notes == ("Rows are not in the order of time: they are sorted by 'date'.",)


def test_a_row_without_a_time_is_named():
    with pytest.raises(
        DataError, match="row 2 holds '--', and 1 more are no times; fill it in, or leave such rows out"
    ):
        in_order(pl.DataFrame({"date": [*DAYS[:2], "--", None, *DAYS[4:]]}), "date")


@pytest.mark.parametrize("shuffled", ["blocks", "by time"])
def test_a_table_of_several_series_is_said_to_be_one(shuffled):
    frame = long_table() if shuffled == "blocks" else long_table().sort("date")
    with pytest.raises(DataError, match=r"stands in more than one row of 'date' \(rows") as caught:
        in_order(frame, "date")
    told = str(caught.value)
    assert "column 'place' seems to name several series (3); try one table for each of them, or a wide table" in told
    advice, pandas = told[told.index("frame.pivot") :].split(", in pandas with ")
    wide = eval(advice, {"frame": frame})  # what is advised works
    assert pandas == "columns= instead of on="
    other = eval(advice.replace("on=", "columns="), {"frame": frame.to_pandas()})
    assert in_order(read_frame(other.reset_index(), "date"), "date").frame.equals(wide.sort("date"))
    assert in_order(wide, "date").frame.columns == ["date", "a", "b", "c"]


def test_the_rows_that_repeat_are_those_of_the_table_as_it_came():
    with pytest.raises(DataError, match=r"time 2024-01-01 stands in more than one row of 'date' \(rows 0 and 4\)"):
        in_order(long_table(), "date")


def test_whole_numbers_name_series_too_but_measured_values_do_not():
    numbered = long_table(place=np.repeat([7, 8, 9], 4))
    with pytest.raises(DataError, match="column 'place' seems to name several series"):
        in_order(numbered, "date")
    with pytest.raises(DataError, match=r"\(rows 0 and 4\); keep one row for each time, such as their mean"):
        in_order(long_table().drop("place"), "date")
