"""`evenkeel predict` on a run of every task."""

import dataclasses
from datetime import datetime

import numpy as np
import polars as pl
import pytest

from _small import small_frame
from cli._terminal import TASKS, ended, invoke
from evenkeel.cli.predict import table_of_predictions
from evenkeel.data import table
from evenkeel.errors import DataError, SavedRunError
from evenkeel.kinds.base import Encoded
from evenkeel.run.fit import fit
from evenkeel.run.run import load


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_predict_writes_one_row_for_each(task, ending, runs, tmp_path):
    out = tmp_path / f"predicted.{ending}"
    result = invoke("predict", runs / task, runs / "weather.csv", "--out", out)
    assert result.exit_code == 0, result.output
    frame = pl.read_csv(out) if ending == "csv" else pl.read_parquet(out)
    assert frame.columns == TASKS[task][1] and frame.height == 240
    if "low 5%" in frame.columns:
        assert (frame["low 5%"] <= frame["high 95%"]).all()


def test_predict_to_standard_output_is_plain_csv(runs):
    result = invoke("predict", runs / "single-label", runs / "weather.csv")
    assert result.output.splitlines()[0] == ",".join(TASKS["single-label"][1])
    assert len(result.output.splitlines()) == 241


def test_a_missing_column_is_named(runs, tmp_path):
    small_frame().drop("town").write_csv(tmp_path / "new.csv")
    result = invoke("predict", runs / "regression", tmp_path / "new.csv")
    assert isinstance(result.exception, DataError) and "town" in str(result.exception)


def test_an_output_that_cannot_be_written(runs, tmp_path):
    done = ended("predict", runs / "regression", runs / "weather.csv", "--out", tmp_path, folder=tmp_path)
    assert done.returncode == 1 and "could not write" in done.stderr


def test_what_a_prediction_belongs_to_stands_beside_it(runs, tmp_path, monkeypatch):
    run = load(runs / "regression")
    kind, keys = run.kind, {"row": range(100, 340)}
    keyed = dataclasses.replace(
        kind, encode=lambda schema, new: Encoded(inputs=kind.encode(schema, new).inputs, keys=keys)
    )
    monkeypatch.setattr(type(run), "kind", keyed)
    found = table_of_predictions(run, runs / "weather.csv")
    assert found.columns == ["row", "prediction"] and found["row"][-1] == 339


def test_codes_of_a_latent_head_have_a_column_each():
    images = np.random.default_rng(0).integers(0, 255, (30, 8, 8)).astype(np.uint8)
    settings = {"updates": 2, "width": 8}
    run = fit(images, kind="image", task="generation", progress=False, settings=settings)
    found = table_of_predictions(run, images[:4])
    assert found.height == 4 and found.columns[:2] == ["code 0", "code 1"]
    assert (found.to_numpy() == run.encode(images[:4])).all()


def test_a_folder_that_is_no_run(tmp_path, runs):
    result = invoke("predict", tmp_path, runs / "weather.csv")
    assert isinstance(result.exception, SavedRunError)


def test_a_forecast_stands_beside_its_times_and_a_table_is_read_once(tmp_path, monkeypatch):
    hours = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 13), "1h", eager=True)
    wave = np.sin(np.arange(len(hours)) / 4) + 5
    pl.DataFrame({"when": hours, "load": wave, "heat": np.arange(len(hours)) % 7.0}).write_csv(tmp_path / "load.csv")
    sizes = {"updates": 2, "width": 8, "depth": 1, "horizon": 3, "window": 12}
    run = fit(tmp_path / "load.csv", kind="series", progress=False, settings=sizes)
    opened = []

    def opening(path, plain=table.read_delimited):
        opened.append(plain(path))
        return opened[-1]

    monkeypatch.setattr(table, "read_delimited", opening)
    found = table_of_predictions(run, tmp_path / "load.csv")
    assert found.columns == ["when", "load", "load low 5%", "load high 95%", "heat", "heat low 5%", "heat high 95%"]
    assert found["when"].to_list() == [datetime(2024, 1, 13, hour) for hour in (1, 2, 3)] and len(opened) == 1
    np.testing.assert_array_equal(found[["load", "heat"]].to_numpy(), run.predict(tmp_path / "load.csv"))
    low, high = run.predict_distribution(tmp_path / "load.csv").quantile([0.05, 0.95])
    np.testing.assert_array_equal(found["heat low 5%"], low[:, 1])
    np.testing.assert_array_equal(found["heat high 95%"], high[:, 1])
