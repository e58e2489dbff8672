"""Series as people have them: with gaps, in any order, the time in an index, without weekends, below one another."""

from datetime import datetime

import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.errors import DataError
from kinds._series_made import fitted, hourly, prepared, with_gaps


@pytest.fixture(scope="module")
def run():
    return fitted(kind="series")


# Gaps


def test_no_window_is_judged_by_what_was_filled_in():
    """All steps to come, of every part, are values of the table, and nothing else is left out."""
    gaps = [*range(50, 55), 150, 310, *range(350, 354)]
    data, whole = prepared(with_gaps(load=gaps)).dataset, prepared().dataset
    for part in ("train", "validation", "test"):
        rows, before = (torch.from_numpy(getattr(each.split, part)) for each in (data, whole))
        starts, series = data.target.starts[rows], data.target.series[rows]
        found = set(zip(starts.tolist(), series.tolist(), strict=True))
        every = zip(whole.target.starts[before].tolist(), whole.target.series[before].tolist(), strict=True)
        assert found == {(at, number) for at, number in every if number or not set(range(at, at + 6)) & set(gaps)}
    assert [note for note in data.notes if "Left out" in note] == [
        "Left out of the 502 train windows: 16 with gaps in the steps to come.",
        "Left out of the 110 validation windows: 6 with gaps in the steps to come.",
        "Left out of the 110 test windows: 9 with gaps in the steps to come.",
    ]


def test_a_table_without_gaps_leaves_nothing_out():
    assert not any("eft out of the" in note for note in prepared().dataset.notes)


def test_windows_that_are_mostly_missing_do_not_train():
    data = prepared(with_gaps(load=range(100, 115))).dataset  # of windows of 24, some miss 13 and more
    assert any("that are missing for more than half" in note for note in data.notes)
    rows = torch.from_numpy(data.split.train)
    missing = torch.zeros(400, 2, dtype=torch.bool)
    missing[100:115, 0] = True
    starts, series = data.target.starts[rows], data.target.series[rows]
    counts = torch.stack([missing[starts - 24 + step, series] for step in range(24)]).sum(0)
    assert int(counts.max()) == 12


@pytest.mark.parametrize(
    "part, rows", [("validation", range(280, 340, 5)), ("test", range(340, 400, 5)), ("train", range(0, 280, 5))]
)
def test_a_part_without_a_whole_window_is_refused(part, rows):
    frame = with_gaps(load=rows, heat=rows)
    with pytest.raises(DataError, match=rf"none of the \d+ windows of the {part} part can be used: \d+ with gaps"):
        prepared(frame)


def test_evaluate_asks_nothing_of_what_was_filled_in(run):
    """The same as over the windows that are whole, whatever is written into the gap."""
    frame = hourly(60, seed=3)
    found = run.evaluate(with_gaps(frame, load=[40, 41]))
    errors = []
    for start in range(60 - 24 - 6 + 1):
        gap = with_gaps(frame, load=[40, 41])[start : start + 24]
        ahead = frame[start + 24 : start + 30][["load", "heat"]].to_numpy()
        error = run.predict(gap) - ahead
        columns = [1] if set(range(start + 24, start + 30)) & {40, 41} else [0, 1]
        errors.append(error[:, columns].flatten())
    assert found["mae"] == pytest.approx(np.abs(np.concatenate(errors)).mean(), rel=1e-4)
    with pytest.raises(DataError, match="none of the 62 windows of the table can be used: 62 with gaps in the steps"):
        run.evaluate(with_gaps(frame, load=range(4, 60, 5), heat=range(4, 60, 5)))


def test_nothing_is_forecast_from_a_window_that_is_mostly_missing(run):
    assert np.isfinite(run.predict(with_gaps(heat=range(388, 400)))).all()
    with pytest.raises(DataError, match="column 'heat' misses 13 of the last 24 values, more than half of the window"):
        run.predict(with_gaps(heat=range(387, 400)))
    with pytest.raises(DataError, match="column 'heat' misses 13 of the last 24 values"):
        run.predict(with_gaps(fill=np.inf, heat=range(387, 400)))


# How tables come


def test_an_index_of_times_is_the_time_column(run):
    """pandas keeps times in the index: in fit, predict and evaluate."""
    pandas = hourly().to_pandas().set_index("when")
    data = prepared(pandas).dataset
    assert data.schema.time == "when" and data.target.values.equal(prepared().dataset.target.values)
    np.testing.assert_array_equal(run.predict(pandas), run.predict(hourly()))
    assert run.evaluate(pandas) == run.evaluate(hourly())
    nameless = pandas.rename_axis(None)
    np.testing.assert_array_equal(run.predict(nameless), run.predict(hourly()))
    assert run.evaluate(nameless) == run.evaluate(hourly())
    assert prepared(nameless).dataset.schema.time == "time"


def test_the_times_to_come_are_the_keys_of_a_forecast(run):
    keys = run.kind.encode(run.record.schema_, hourly()).keys
    assert list(keys) == ["when"] and len(keys["when"]) == len(run.predict(hourly()))
    assert keys["when"].to_list() == hourly(406)["when"][400:].to_list()


def test_rows_in_any_order_are_the_same_data(run):
    shuffled = hourly()[np.random.default_rng(0).permutation(400)]
    data, whole = prepared(shuffled).dataset, prepared().dataset
    assert data.target.values.equal(whole.target.values) and data.schema.series == whole.schema.series
    assert "Rows are not in the order of time: they are sorted by 'when'." in data.notes
    np.testing.assert_array_equal(run.predict(shuffled), run.predict(hourly()))
    assert run.evaluate(shuffled) == run.evaluate(hourly())


def test_whole_numbers_that_count_are_the_time():
    frame = hourly().drop("when").with_columns(hour=pl.int_range(pl.len()))
    data = prepared(frame).dataset
    assert data.schema.time == "hour" and data.schema.names == ("load", "heat")
    assert "Column 'hour' counts up by 1: it is taken as the time." in data.notes
    assert not any("is taken as the time" in note for note in prepared(frame, time="hour").dataset.notes)


def test_business_days_are_forecast_for_business_days():
    days = pl.date_range(datetime(2022, 1, 3), datetime(2023, 12, 29), "1d", eager=True).alias("when")
    days = days.filter(days.dt.weekday() < 6)[:400]
    frame = hourly().with_columns(days)
    found = fitted(frame, kind="series", settings={"updates": 4})
    assert "A row is a window of 24 steps of 1 business day of one of 2 series" in found.record.notes[0]
    coming = found.kind.encode(found.record.schema_, frame).keys["when"]
    assert len(found.predict(frame)) == 6 and [each.isoweekday() for each in coming] == [1, 2, 3, 4, 5, 1]
    with pytest.raises(DataError, match="training had 1 business day"):
        found.predict(hourly())


def test_a_long_table_is_said_to_be_one():
    both = [hourly(200).with_columns(place=pl.lit(name)) for name in ("north", "south")]
    with pytest.raises(DataError, match=r"column 'place' seems to name several series \(2\); try one table for each"):
        prepared(pl.concat(both).drop("town"))
