"""`evenkeel predict | evaluate | report` on a run of every task."""

import dataclasses
import json

import numpy as np
import polars as pl
import pytest

from _small import small_frame
from cli._terminal import FAST, invoke, process
from evenkeel.cli.use import table_of_predictions
from evenkeel.errors import DataError, SavedRunError
from evenkeel.kinds.base import Encoded
from evenkeel.run.fit import fit
from evenkeel.run.run import load

TASKS = {
    "regression": ("height", ["prediction"]),
    "probabilistic-regression": ("height", ["prediction", "low 5%", "high 95%"]),
    "positive-regression": ("count", ["prediction", "low 5%", "high 95%"]),
    "single-label": ("class", ["prediction", "probability high", "probability low", "probability middle"]),
    "multi-label": ("wet,cold", ["wet", "cold", "probability wet", "probability cold"]),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A small run of every task, and the table they were trained on."""
    folder = tmp_path_factory.mktemp("runs")
    small_frame().write_csv(folder / "weather.csv")
    for task, (target, _) in TASKS.items():
        command = ["train", folder / "weather.csv", "--target", target, "--task", task, "--out", folder / task]
        result = invoke(*command, *FAST)
        assert result.exit_code == 0, result.output
    return folder


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


@pytest.mark.parametrize("task", TASKS)
def test_evaluate_gives_numbers(task, runs):
    found = json.loads(invoke("evaluate", runs / task, runs / "weather.csv", "--json").output)
    assert found and all(isinstance(value, float) for value in found.values())
    plain = invoke("evaluate", runs / task, runs / "weather.csv").output
    assert [line.split()[0] for line in plain.splitlines()] == list(found)


def test_report_is_written_again(runs, tmp_path):
    result = invoke("report", runs / "single-label", "--out", tmp_path / "page.html")
    assert result.exit_code == 0 and (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")


def test_a_missing_column_is_named(runs, tmp_path):
    small_frame().drop("town").write_csv(tmp_path / "new.csv")
    result = invoke("predict", runs / "regression", tmp_path / "new.csv")
    assert isinstance(result.exception, DataError) and "town" in str(result.exception)


def test_a_folder_that_is_no_run(tmp_path, runs):
    result = invoke("predict", tmp_path, runs / "weather.csv")
    assert isinstance(result.exception, SavedRunError)
    done = process("evaluate", tmp_path / "nowhere", "x.csv", folder=tmp_path)
    assert done.returncode == 1 and done.stderr.startswith("evenkeel: ") and "Traceback" not in done.stderr


def test_an_output_that_cannot_be_written(runs, tmp_path):
    done = process("predict", runs / "regression", runs / "weather.csv", "--out", tmp_path, folder=tmp_path)
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
