from datetime import datetime

import numpy as np
import polars as pl
import pytest

from evenkeel.errors import DataError
from evenkeel.kinds.series.regular import choose_time, regular_series
from evenkeel.kinds.series.times import TimeStep


def hours(count=40, **columns):
    time = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 3, 1), "1h", eager=True)[:count]
    made = {"a": np.arange(count, dtype=float), "b": -np.arange(count, dtype=float), **columns}
    return pl.DataFrame({"when": time, **made})


def test_what_is_whole_stays_as_it_is():
    frame = hours()
    found = regular_series(frame, "when", ["b", "a"])
    np.testing.assert_array_equal(found.values, frame[["b", "a"]].to_numpy())
    assert not found.missing.any()
    assert found.notes == () and found.places.tolist() == list(range(40)) and found.last[0] == frame["when"][-1]


def test_gaps_and_missing_values_are_filled_from_the_past_alone():
    values = [None if index in (7, 8) else float(index) for index in range(40)]
    frame = hours(a=values)
    frame = frame.filter(pl.col("when") != frame["when"][20])
    found = regular_series(frame, "when", ["a", "b"])
    assert found.values[[7, 8, 20], 0].tolist() == [6, 6, 19] and found.values[20, 1] == -19
    assert found.notes == (
        "1 of 40 steps have no row; the values before them are carried on.",
        "Column 'a' misses 2 values; the values before them are carried on.",
    )
    assert found.places.tolist() == [index for index in range(40) if index != 20]
    assert np.argwhere(found.missing).tolist() == [[7, 0], [8, 0], [20, 0], [20, 1]]
    # Nothing that comes later changes what was filled.
    later = frame.with_columns(pl.when(pl.col("when") > frame["when"][25]).then(99.0).otherwise(pl.col("a")).alias("a"))
    np.testing.assert_array_equal(regular_series(later, "when", ["a"]).values[:25, 0], found.values[:25, 0])


def test_rows_before_every_series_has_begun_are_left_out():
    found = regular_series(hours(b=[None] * 5 + [1.0] * 35), "when", ["a", "b"])
    assert found.values[0].tolist() == [5.0, 1.0] and found.places[:6].tolist() == [-5, -4, -3, -2, -1, 0]
    assert found.notes == ("The first 5 steps are left out: not every series has begun.",)


def test_text_that_reads_as_numbers_and_times_is_read():
    found = regular_series(pl.DataFrame({"day": ["2024-01-01", "2024-01-02", "2024-01-03"], "a": ["1", "2", "3"]}),
                           "day", ["a"])  # fmt: skip
    assert found.values[:, 0].tolist() == [1, 2, 3] and found.step.text == "1 d"


def test_infinite_values_are_called_infinite():
    values = [1.0, np.inf, None, -np.inf, *([2.0] * 36)]
    found = regular_series(hours(a=values), "when", ["a"])
    assert found.values[:5, 0].tolist() == [1, 1, 1, 1, 2] and found.missing[:5, 0].tolist() == [
        False,
        *[True] * 3,
        False,
    ]
    assert found.notes == (
        "Column 'a' holds 2 infinite values; the values before them are carried on.",
        "Column 'a' misses 1 values; the values before them are carried on.",
    )


def test_rows_in_any_order_are_the_same_series():
    frame = hours()
    order = np.random.default_rng(0).permutation(40)
    found = regular_series(frame[order], "when", ["a", "b"])
    np.testing.assert_array_equal(found.values, regular_series(frame, "when", ["a", "b"]).values)
    assert found.places.tolist() == order.tolist() and found.last[0] == frame["when"][-1]
    assert found.notes == ("Rows are not in the order of time: they are sorted by 'when'.",)


def test_business_days_are_a_regular_step():
    days = pl.date_range(datetime(2024, 1, 1), datetime(2024, 6, 28), "1d", eager=True)
    days = days.filter(days.dt.weekday() < 6).cast(pl.String)  # as they stand in a file
    frame = pl.DataFrame({"day": days, "a": np.arange(len(days), dtype=float)}).filter(pl.col("a") != 50)
    found = regular_series(frame, "day", ["a"])
    assert found.step.text == "1 business day" and len(found.values) == len(days) and found.missing.sum() == 1
    assert found.notes == (
        "No row is of a Saturday or Sunday: a step goes from one business day to the next.",
        f"1 of {len(days)} steps have no row; the values before them are carried on.",
    )
    with pytest.raises(DataError, match="of 130 steps of 1 business day have no row, more than 5%"):
        regular_series(frame.filter(~pl.col("a").is_between(20, 40)), "day", ["a"])


def test_months_as_text_are_read():
    months = [f"{2000 + index // 12}-{index % 12 + 1:02}" for index in range(30)]
    frame = pl.DataFrame({"month": months, "a": np.arange(30.0)})
    assert choose_time(frame, None) == "month" and regular_series(frame, "month", ["a"]).step.text == "1 month"
    # A date beside it is the time.
    assert (
        choose_time(frame.with_columns(day=pl.date_range(datetime(2000, 1, 1), datetime(2000, 1, 30))), None) == "day"
    )


def test_bad_tables_are_refused():
    frame = hours()
    with pytest.raises(DataError, match=r"10 of 40 steps of 1 h have no row, more than 5%; fill the gaps"):
        regular_series(pl.concat([frame[:15], frame[25:]]), "when", ["a"])
    with pytest.raises(DataError, match="column 'a' has no value in 25% of the steps, more than 20%; leave it out"):
        regular_series(hours(a=[None] * 10 + [1.0] * 30), "when", ["a"])
    assert regular_series(hours(a=[None, *[1.0] * 3] * 10), "when", ["a"], most_missing=0.5).missing.sum() == 9
    with pytest.raises(DataError, match="column 'a' cannot be forecast: expected numbers, got String such as 'x'"):
        regular_series(hours(a=["x"] * 40), "when", ["a"])
    with pytest.raises(DataError, match="rows are 1 h apart; training had 1 d; bring the table to that step"):
        regular_series(frame, "when", ["a"], step=TimeStep(unit="microseconds", size=86_400e6))


def test_the_time_column_is_found_or_asked_for():
    frame = hours(text=["x"] * 40)
    assert choose_time(frame, None) == "when" and choose_time(frame, "a") == "a"
    with pytest.raises(DataError, match=r"there is no time column 'wen'; did you mean 'when'\?"):
        choose_time(frame, "wen")
    with pytest.raises(DataError, match="'text' must hold dates, moments or numbers, got String such as 'x'"):
        choose_time(frame, "text")
    with pytest.raises(DataError, match=r"2 columns hold dates, \['when', 'other'\]; say which is the time"):
        choose_time(frame.with_columns(other=pl.col("when")), None)
    with pytest.raises(DataError, match=r"needs a column of dates or moments, none of \['a', 'b'\] is one"):
        choose_time(frame[["a", "b"]], None)


def test_whole_numbers_that_count_steps_are_the_time_if_there_is_no_other():
    counted = pl.DataFrame({"hour": range(5, 45, 5), "a": [1.5] * 8, "n": range(8)})
    assert choose_time(counted.drop("n"), None) == "hour" and choose_time(counted, None, target=["n"]) == "hour"
    with pytest.raises(DataError, match="needs a column of dates or moments"):
        choose_time(counted, None)
    with_dates = counted.with_columns(day=pl.date_range(datetime(2024, 1, 1), datetime(2024, 1, 8)))
    assert choose_time(with_dates, None) == "day"


def test_one_time_that_cannot_be_read_is_named():
    days = [f"2024-01-{day:02}" for day in range(1, 11)]
    days[5] = "n/a??"
    frame = pl.DataFrame({"date": days, "load": np.arange(10.0)})
    for asked in (None, "date"):
        with pytest.raises(DataError, match=r"time column 'date' must hold a time in every row; row 5 holds 'n/a\?\?'"):
            choose_time(frame, asked)
