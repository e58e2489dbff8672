from datetime import datetime

import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.data.fields import all_rows
from evenkeel.errors import DataError
from evenkeel.kinds.series.business import BusinessDays
from evenkeel.kinds.series.schema import (
    SeriesSchema,
    describe_columns,
    fit_scales,
    last_windows,
    read_further,
    times_ahead,
    window_fields,
)
from evenkeel.kinds.series.times import TimeStep

HOURS = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 1, 2), "1h", eager=True).alias("when")


def table():
    steps = np.arange(25.0)
    return pl.DataFrame(
        {"when": HOURS, "load": 100 + 10 * np.sin(steps), "heat": 1e-3 * steps**2, "town": ["a"] * 24 + ["b"]}
    )


def schema(frame, window=6, horizon=3, names=("load", "heat")):
    return SeriesSchema(
        columns=describe_columns(frame, "when", None),
        time="when",
        step=TimeStep(unit="microseconds", size=3600e6),
        window=window,
        horizon=horizon,
        series=fit_scales(frame[list(names)].to_numpy()[:15], names),
    )


def test_windows_are_standardised_by_training_and_what_follows_stays_as_it_is():
    frame = table()
    found, values = schema(frame), frame[["load", "heat"]].to_numpy()
    inputs, ahead = window_fields(found, values, np.array([0, 4]))
    train = values[:15]
    rows = [(0, 0), (0, 1), (4, 0), (4, 1)]
    for row, (start, column) in enumerate(rows):
        slow = (values[start : start + 6, column] - train[:, column].mean()) / train[:, column].std()
        np.testing.assert_allclose(all_rows(inputs["window"])[row], slow, atol=1e-4)
        np.testing.assert_array_equal(all_rows(ahead)[row], values[start + 6 : start + 9, column])
        assert inputs["series"][row] == column


def test_windows_that_are_not_kept_are_left_out():
    frame = table()
    found, values, starts = schema(frame), frame[["load", "heat"]].to_numpy(), np.arange(4)
    keep = np.array([[True, False], [True, True], [False, False], [False, True]])
    inputs, ahead = window_fields(found, values, starts, keep)
    every, truth = window_fields(found, values, starts)
    rows = [0, 2, 3, 7]
    torch.testing.assert_close(all_rows(inputs["window"]), all_rows(every["window"])[rows], rtol=0, atol=0)
    torch.testing.assert_close(all_rows(ahead), all_rows(truth)[rows], rtol=0, atol=0)
    assert inputs["series"].tolist() == [0, 0, 1, 1]


def test_numbers_far_from_zero_keep_their_digits():
    values = 1e9 + np.random.default_rng(0).normal(size=(300, 1))
    frame = pl.DataFrame({"when": np.arange(300), "load": values[:, 0]})
    found = schema(frame, names=("load",)).model_copy(update={"series": fit_scales(values, ["load"])})
    inputs, _ = window_fields(found, values, np.arange(10))
    window = all_rows(inputs["window"]).double().numpy()
    center, spread = found.scales.flatten().tolist()
    np.testing.assert_allclose(window[0] * spread + center, values[:6, 0], atol=1e-4)


def test_a_constant_series_has_spread_one():
    assert [each.spread for each in fit_scales(np.array([[3.0, 1e9], [3.0, 1e9 + 1]]), ["flat", "far"])] == [1.0, 0.5]


def test_the_scales_are_what_float32_holds():
    scale = fit_scales(np.array([[0.1], [0.7]]), ["x"])[0]
    assert scale.center == np.float32(scale.center) and scale.spread == np.float32(scale.spread)


def test_a_schema_is_read_back_from_its_json():
    found = schema(table())
    assert SeriesSchema.model_validate_json(found.model_dump_json()) == found and found.names == ("load", "heat")


def test_columns_say_what_is_forecast_and_why_not():
    kinds = {column.name: (column.kind, column.note) for column in describe_columns(table(), "when", None)}
    assert kinds["load"] == ("series", "") and kinds["when"] == ("datetime", "")
    assert kinds["town"] == ("category", "left out: a category column is no series of numbers")
    named = {column.name: column.note for column in describe_columns(table(), "when", ["heat"])}
    assert named["load"] == "not read: each series is forecast from its own past" and named["heat"] == ""


def test_targets_that_cannot_be_forecast_are_refused():
    with pytest.raises(DataError, match=r"there is no series 'laod' to forecast; did you mean 'load'\?"):
        describe_columns(table(), "when", ["laod"])
    with pytest.raises(DataError, match="there is no series 'when' to forecast"):
        describe_columns(table(), "when", ["when"])
    with pytest.raises(DataError, match="expected one target column, or several different ones"):
        describe_columns(table(), "when", ["load", "load"])
    with pytest.raises(DataError, match=r"no column can be forecast \(town: left out: a category column"):
        describe_columns(table()[["when", "town"]], "when", None)
    with pytest.raises(DataError, match=r"no column can be forecast \(there is none besides the time\)"):
        describe_columns(table()[["when"]], "when", None)


def test_the_end_of_a_table_is_what_comes_next_is_forecast_from():
    frame = table()
    found = schema(frame)
    fields = last_windows(found, frame)
    inputs, _ = window_fields(found, frame[["load", "heat"]].to_numpy(), np.array([25 - 6]))
    torch.testing.assert_close(fields["window"], all_rows(inputs["window"]))
    assert fields["series"].tolist() == [0, 1]


def test_a_window_that_is_mostly_missing_is_no_ground_for_a_forecast():
    frame, found = table(), schema(table())
    gap = pl.int_range(pl.len())
    three = frame.with_columns(heat=pl.when(gap < 22).then("heat"))
    assert last_windows(found, three)["window"][1].std() > 0
    four = frame.with_columns(heat=pl.when(gap < 21).then("heat"))
    with pytest.raises(DataError, match="column 'heat' misses 4 of the last 6 values, more than half of the window"):
        last_windows(found, four)
    # What lies before the window has gaps as it likes, up to half of the table.
    old = frame.with_columns(heat=pl.when((gap < 2) | (gap > 12)).then("heat"))
    torch.testing.assert_close(last_windows(found, old)["window"], last_windows(found, frame)["window"])
    with pytest.raises(DataError, match="column 'heat' has no value in 100% of the steps, more than 50%"):
        last_windows(found, frame.with_columns(heat=pl.lit(None, pl.Float64)))


def test_rows_in_another_order_are_the_same_table():
    frame, found = table(), schema(table())
    turned = frame.reverse()
    torch.testing.assert_close(last_windows(found, turned)["window"], last_windows(found, frame)["window"])
    assert times_ahead(found, turned).equals(times_ahead(found, frame))


def test_a_schema_of_business_days_is_read_back():
    found = schema(table()).model_copy(update={"step": BusinessDays()})
    assert SeriesSchema.model_validate_json(found.model_dump_json()) == found


def test_further_tables_must_have_the_same_columns_step_and_enough_steps():
    frame, found = table(), schema(table())
    with pytest.raises(DataError, match=r"the data lacks 1 column\(s\) that training used: \['heat'\]"):
        read_further(found, frame.drop("heat"), 6)
    with pytest.raises(DataError, match="rows are 2 h apart; training had 1 h"):
        read_further(found, frame.gather_every(2), 6)
    with pytest.raises(DataError, match="the table has 5 steps; expected at least a window of 6; bring earlier rows"):
        read_further(found, frame[:5], 6)
    with pytest.raises(DataError, match="the table has 8 steps; expected at least a window of 6 and a horizon of 3"):
        read_further(found, frame[:8], 9)
