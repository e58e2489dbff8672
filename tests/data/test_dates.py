"""Moments as numbers: days since 1970, and places on the circles of year, week and day."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from evenkeel.data.columns import tidy
from evenkeel.data.dates import CYCLES, date_parts


def test_phases_are_those_of_the_calendar():
    day = dt.datetime(2024, 1, 1)
    values = date_parts(pl.Series([day, day + dt.timedelta(days=7), day + dt.timedelta(hours=6)]))
    assert values["days"].tolist() == [19723.0, 19730.0, 19723.25]
    for name in ("week-sine", "week-cosine", "day-sine", "day-cosine"):
        assert values[name][0] == pytest.approx(values[name][1], abs=1e-9)
    assert [values["day-sine"][0], values["day-cosine"][0]] == pytest.approx([0.0, 1.0], abs=1e-9)
    assert [values["day-sine"][2], values["day-cosine"][2]] == pytest.approx([1.0, 0.0], abs=1e-9)


@pytest.mark.parametrize(
    "series",
    [
        pl.Series([dt.date(2024, 1, 1), dt.date(2024, 5, 9), None]),
        pl.Series([dt.datetime(2024, 1, 1), dt.datetime(2024, 5, 9), None], dtype=pl.Datetime("ns")),
        pl.Series([dt.datetime(2024, 1, 1), dt.datetime(2024, 5, 9), None], dtype=pl.Datetime("ms")),
        pl.Series([dt.datetime(2024, 1, 1), dt.datetime(2024, 5, 9), None]).dt.replace_time_zone("UTC"),
        tidy(pl.Series(["2024-01-01", "2024-05-09", ""])),
        tidy(pl.Series(["01.01.2024", "09.05.2024", ""])),
        tidy(pl.Series(["01/01/2024", "05/09/2024", ""])),
    ],
)
def test_dates_in_every_form(series):
    days = date_parts(series)["days"]
    assert days[:2].tolist() == [19723.0, 19852.0]
    assert np.isnan(days[2])


def test_every_part_is_on_its_circle():
    moments = pl.datetime_range(pl.datetime(1969, 12, 28), pl.datetime(2031, 1, 1), "61h", eager=True)
    parts = date_parts(moments)
    assert (np.diff(parts["days"]) > 0).all()
    for cycle in CYCLES:
        sine, cosine = parts[f"{cycle}-sine"], parts[f"{cycle}-cosine"]
        np.testing.assert_allclose(sine**2 + cosine**2, 1.0)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_zones_do_not_move_a_moment(zone):
    moment = pl.Series([dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)])
    plain = date_parts(pl.Series([dt.datetime(2024, 7, 1, 12)]))
    there = date_parts(moment.dt.convert_time_zone(zone))
    assert {name: value.tolist() for name, value in there.items()} == {k: v.tolist() for k, v in plain.items()}


def test_a_time_of_day_counts_from_midnight():
    parts = date_parts(pl.Series([dt.time(0), dt.time(18), None]))
    assert parts["days"][:2].tolist() == [0.0, 0.75]
    assert np.isnan(parts["days"][2])
    assert parts["day-sine"][1] == pytest.approx(-1.0)
