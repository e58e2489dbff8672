from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from evenkeel.errors import DataError
from evenkeel.kinds.series.business import DAY, BusinessDays, coming_times, step_of
from evenkeel.kinds.series.times import TimeStep

WHOLE = pl.date_range(date(2024, 1, 1), date(2024, 3, 1), "1d", eager=True).alias("day")
BUSINESS = WHOLE.filter(WHOLE.dt.weekday() < 6)


def slow_places(days):
    """One by one: how many days from Monday to Friday lie before each, from the first one on."""
    first = days[0]
    between = [pl.date_range(first, day, "1d", eager=True) for day in days]
    return [sum(each.weekday() < 5 for each in span.to_list()) - 1 for span in between]


def test_days_without_weekends_are_business_days():
    step, places = step_of(BUSINESS, None)
    assert step == BusinessDays() and places.tolist() == list(range(len(BUSINESS)))


@pytest.mark.parametrize("seed", range(3))
def test_holidays_are_steps_without_a_row(seed):
    kept = np.sort(np.random.default_rng(seed).choice(len(BUSINESS), len(BUSINESS) - 4, replace=False))
    days = BUSINESS[kept]
    assert step_of(days, None)[1].tolist() == slow_places(days.to_list())


def test_times_of_day_stay():
    closing = BUSINESS.cast(pl.Datetime("us")).dt.offset_by("17h")
    step, places = step_of(closing, None)
    assert step == BusinessDays() and places[-1] == len(BUSINESS) - 1
    assert coming_times(pl.Series("t", [datetime(2024, 3, 1, 17)]), step, 1).to_list() == [datetime(2024, 3, 4, 17)]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Zurich"])
def test_times_with_a_zone_come_back_with_it(zone):
    days = BUSINESS.cast(pl.Datetime("us")).dt.replace_time_zone(zone)
    step, _ = step_of(days, None)
    coming = coming_times(days[-1:], step, 2)
    assert coming.dtype == days.dtype and [each.day for each in coming] == [4, 5]


def test_other_steps_are_left_alone():
    assert step_of(WHOLE, None)[0] == DAY and len(step_of(WHOLE, None)[1]) == len(WHOLE)
    one_week = BUSINESS[:5]
    assert step_of(one_week, None)[0] == DAY and step_of(one_week, BusinessDays())[0] == BusinessDays()
    assert step_of(pl.Series("t", [1, 2, 3]), None)[0] == TimeStep(unit="number", size=1)
    weekly = BUSINESS.gather_every(5)
    assert step_of(weekly, None)[0].text == "7 d"
    hours = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 1, 2), "1h", eager=True)
    assert step_of(hours, None)[0].text == "1 h"


def test_what_comes_after_a_friday_is_a_monday():
    friday = pl.Series("day", [date(2024, 1, 5)])
    coming = coming_times(friday, BusinessDays(), 6)
    assert coming.to_list() == [date(2024, 1, day) for day in (8, 9, 10, 11, 12, 15)] and coming.name == "day"
    assert coming_times(friday, DAY, 1).to_list() == [date(2024, 1, 6)]


def test_another_step_than_in_training_is_refused():
    with pytest.raises(DataError, match="'day' has rows on Saturdays or Sundays; training had business days alone"):
        step_of(WHOLE, BusinessDays())
    with pytest.raises(DataError, match="rows are 1 business day apart; training had 1 d; bring rows of Saturdays"):
        step_of(BUSINESS, DAY)
    with pytest.raises(
        DataError, match="rows are 7 d apart; training had 1 business day; bring the table to that step"
    ):
        step_of(BUSINESS.gather_every(5), BusinessDays())


def test_a_step_says_what_it_is_and_is_read_back():
    assert BusinessDays().text == "1 business day"
    assert BusinessDays.model_validate_json(BusinessDays().model_dump_json()) == BusinessDays()
