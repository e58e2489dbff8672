from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from evenkeel.errors import DataError
from evenkeel.kinds.series.times import TimeStep, places_in_time, times_to_come


def moments(start, every, count, **options):
    end = pl.Series([start]).dt.offset_by(f"{(count - 1) * int(every[:-1] or 1)}{every.lstrip('0123456789')}")[0]
    return pl.datetime_range(start, end, every, eager=True, **options).alias("t")


@pytest.mark.parametrize(
    "every, text", [("15m", "15 min"), ("1h", "1 h"), ("1d", "1 d"), ("500ms", "500 ms"), ("7d", "7 d")]
)
@pytest.mark.parametrize("zone", [None, "Europe/Zurich"])
def test_the_step_and_what_comes_next(every, text, zone):
    end = {"15m": datetime(2024, 4, 1), "500ms": datetime(2024, 3, 30, 0, 1)}.get(every, datetime(2024, 6, 1))
    whole = pl.datetime_range(datetime(2024, 3, 30), end, every, eager=True).alias("t")
    whole = whole if zone is None else whole.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    known, coming = whole[:-3], whole[-3:]
    found = places_in_time(known)
    assert found.step.text == text and found.places.tolist() == list(range(len(known)))
    assert times_to_come(known[-1:], found.step, 3).to_list() == coming.to_list()
    assert times_to_come(known[-1:], found.step, 3).dtype == known.dtype


def test_months_and_their_last_days_are_regular_though_not_of_one_length():
    first = pl.date_range(date(2023, 1, 1), date(2025, 1, 1), "1mo", eager=True).alias("t")
    last = first.dt.month_end()
    for series, unit, coming in (
        (first, "months", [date(2025, 2, 1), date(2025, 3, 1)]),
        (last, "month-ends", [date(2025, 2, 28), date(2025, 3, 31)]),
    ):
        found = places_in_time(series)
        assert found.step == TimeStep(unit=unit, size=1) and found.step.text == "1 month"
        assert found.places.tolist() == list(range(25))
        assert times_to_come(series[-1:], found.step, 2).to_list() == coming
    years = first.filter(first.dt.month() == 1)
    assert places_in_time(years).step.text == "12 months"


def test_local_months_begin_at_local_midnight():
    months = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 9, 1), "1mo", eager=True, time_zone="Europe/Zurich")
    found = places_in_time(months.alias("t"))
    assert found.step.unit == "months"
    assert [each.month for each in times_to_come(months[-1:], found.step, 2)] == [10, 11]
    assert {each.hour for each in times_to_come(months[-1:], found.step, 2)} == {0}


def test_numbers_count_too():
    found = places_in_time(pl.Series("year", [1950, 1951, 1953, 1954]))
    assert found.places.tolist() == [0, 1, 3, 4] and found.step.text == "1"
    coming = times_to_come(pl.Series("year", [1954]), found.step, 2)
    assert coming.to_list() == [1955, 1956] and coming.dtype == pl.Int64
    tenths = places_in_time(pl.Series("s", np.arange(50) / 10))
    assert tenths.step.text == "0.1" and tenths.places[-1] == 49


def test_a_gap_is_a_place_left_free():
    hours = moments(datetime(2024, 1, 1), "1h", 10)
    found = places_in_time(hours.gather([0, 1, 2, 5, 6, 7, 8, 9]))
    assert found.places.tolist() == [0, 1, 2, 5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    "values, message",
    [
        ([1, 2, None, 4], "must hold a time in every row of 3 or more; 1 of its 4 rows have none"),
        ([1, 2], "must hold a time in every row of 3 or more; got 2 rows"),
        ([1, 2, 2, 3], r"time 2 stands in more than one row of 't' \(row 2\); keep one row for each time"),
        ([1, 3, 2, 4], r"must increase from row to row; row 2 has 2 after 3; sort the table by it"),
        ([0.0, 1.0, 2.4, 3.4], r"regular step; most are 1 apart, but row 2 \(2.4\) comes 1.4 steps after"),
    ],
)
def test_times_that_make_no_series_are_refused(values, message):
    with pytest.raises(DataError, match=message):
        places_in_time(pl.Series("t", values))
