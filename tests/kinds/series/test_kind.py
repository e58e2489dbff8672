import json
import os
import signal

import numpy as np
import polars as pl
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import evenkeel as ek
from evenkeel.data.dataset import SplitRequest
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds import PARTS
from evenkeel.kinds.series.recipe import series_recipe
from kinds._series_made import QUICK, fitted, hourly, prepared, with_gaps

NETS = {"mlp": {}, "rnn": {"width": 8}, "transformer": {"width": 32}, "cnn": {"width": 8}}


@pytest.fixture(scope="module")
def run():
    return fitted(kind="series", settings={"updates": 300, "width": 16})


# What a run gives


def test_a_cycle_is_learned_in_the_units_of_each_series(run):
    assert run.kind.name == "series" and run.plan.task == "probabilistic-regression"
    assert set(run.metrics) == {"rmse", "mae", "nll", "crps", "coverage_90", "width_90"}
    assert set(run.record.baselines) == {"repeat-last", "linear map"}
    assert run.metrics["rmse"] < 0.5 * run.record.baselines["repeat-last"]["rmse"]
    assert 0.8 < run.metrics["coverage_90"] < 0.98
    assert "window of 24 steps of 1 h of one of 2 series, and the 6 after it" in run.record.notes[0]
    assert any("'town' is left out: a category column is no series" in note for note in run.record.notes)


def test_predictions_are_what_comes_after_the_table(run):
    """The course is known: both series are forecast within some spreads of their noise."""
    whole = hourly(1000)
    table, truth = whole[:500], whole[500:506]
    found = run.predict(table)
    assert found.shape == (6, 2) and found.dtype == np.float64
    assert np.abs(found[:, 0] - truth["load"].to_numpy()).max() < 5 * 2e4
    assert np.abs(found[:, 1] - truth["heat"].to_numpy()).max() < 5 * 3e-4
    # Only the last window counts, and the order of the columns does not.
    np.testing.assert_allclose(run.predict(table[476:].select(reversed(table.columns))), found, rtol=1e-5)


def test_the_distribution_has_the_order_of_the_predictions(run):
    found, distribution = run.predict(hourly()), run.predict_distribution(hourly())
    np.testing.assert_allclose(distribution.mean, found, rtol=1e-5)
    low, high = distribution.interval(0.9)
    assert low.shape == high.shape == found.shape == (6, 2)
    assert (low < found).all() and (found < high).all() and distribution.sample(3).shape == (3, 6, 2)
    with pytest.raises(RequestError, match="predicts numbers, not classes"):
        run.predict_proba(hourly())


def test_evaluate_measures_every_window_of_a_table(run):
    frame = hourly(60, seed=3)
    found = run.evaluate(frame)
    errors = []
    for start in range(60 - 24 - 6 + 1):
        ahead = frame[start + 24 : start + 30][["load", "heat"]].to_numpy()
        errors.append(run.predict(frame[start : start + 24]) - ahead)
    assert found["mae"] == pytest.approx(np.abs(np.array(errors)).mean(), rel=1e-4)
    assert found["rmse"] == pytest.approx(np.sqrt((np.array(errors) ** 2).mean()), rel=1e-4)


def test_features_of_each_series_can_be_had(run):
    assert run.embed(hourly()).shape == (2, 16 + 24 + 4)


def test_a_saved_run_predicts_the_same(run, tmp_path):
    again = ek.load(run.save(tmp_path / "run"))
    np.testing.assert_array_equal(again.predict(hourly()), run.predict(hourly()))
    assert again.evaluate(hourly()) == run.evaluate(hourly()) and again.record == run.record
    assert "Beside simpler models" in again.report_text()


def test_pictures_have_what_they_need(run):
    """History and truth of the kept windows are neighbours in the table."""
    frame, sample = hourly(), run.sample
    place, series = sample["shown.place"], sample["shown.series"]
    assert series.tolist() == [0, 1] and sample["output"].shape[1:] == (8, 2)
    for row, number in enumerate(series.tolist()):
        whole = frame[["load", "heat"][number]].to_numpy()
        joined = np.concatenate([sample["shown.history"][row], sample["target"][place[row]]])
        assert any(np.array_equal(whole[at : at + 30], joined) for at in range(len(whole) - 29))


# Ways to ask


@pytest.mark.parametrize("net", NETS)
def test_every_net_by_name_forecasts_and_is_saved(net, tmp_path):
    found = fitted(net=net, settings={"updates": 4, **NETS[net]}, kind="series")
    assert found.plan.net == net and np.isfinite(found.predict(hourly())).all()
    again = ek.load(found.save(tmp_path / net))
    np.testing.assert_array_equal(again.predict(hourly()), found.predict(hourly()))


def test_a_horizon_says_that_it_is_a_forecast_and_a_target_which():
    found = fitted(target="heat", settings={"updates": 4})
    assert found.kind.name == "series" and found.predict(hourly()[["when", "heat"]]).shape == (6, 1)
    assert found.record.target.name == "heat" and found.record.target.size == 6
    assert any("'load' is not read" in note for note in found.record.notes)


def test_plain_regression_gives_means_alone():
    found = fitted(task="regression", settings={"updates": 200})
    assert set(found.metrics) == {"rmse", "mae"} and found.predict(hourly()).shape == (6, 2)
    assert found.metrics["rmse"] < found.record.baselines["repeat-last"]["rmse"]
    with pytest.raises(RequestError, match="predicts no distribution"):
        found.predict_distribution(hourly())


def test_series_of_small_units_are_not_drowned_by_large_ones():
    """Means alone, so that squares of 1e5 stand beside squares of 1e-3: the second series is learned as well."""
    found = fitted(task="regression", settings={"updates": 300})
    error = found.predict(hourly(1000)[:500])[:, 1] - hourly(1000)["heat"][500:506].to_numpy()
    assert np.abs(error).max() < 5 * 3e-4


def test_a_net_of_ones_own():
    found = fitted(net=nn.Sequential(nn.Linear(24, 8), nn.Tanh()), settings={"updates": 4})
    assert found.record.net == "given" and np.isfinite(found.predict(hourly())).all()


def test_an_ensemble_and_a_loss_by_name():
    found = fitted(settings={"updates": 4, "members": 2, "beta": 0.5})
    assert found.sample["output"].shape[0] == 2 and found.predict_distribution(hourly()).std.shape == (6, 2)


def test_the_same_seed_gives_the_same_weights():
    left, right = (fitted(settings={"updates": 8}, seed=3).network.state_dict() for _ in range(2))
    assert all(torch.equal(value, right[name]) for name, value in left.items())


def test_an_interrupted_training_goes_on_to_the_same_weights(tmp_path):
    from evenkeel.network import build_network
    from evenkeel.plan import make_plan
    from evenkeel.train.checkpoint import restore_loop, save_loop
    from evenkeel.train.loop import Loop, Watchers

    given = prepared(task="regression")
    recipe = dict(series_recipe("mlp", given.dataset, given.choice))
    plan = make_plan("regression", rows=100, recipe=recipe, settings={"updates": 12, "width": 8, "batch_size": 64})

    def loop():
        return Loop(build_network(plan, given.dataset)[0], given.dataset, plan, device=torch.device("cpu"))

    whole, first, second = loop(), loop(), loop()
    whole.run(Watchers())
    first.run(Watchers(stop=lambda: "SIGINT" if first.state.update == 5 else ""))
    save_loop(first, tmp_path / "checkpoint")
    restore_loop(second, tmp_path / "checkpoint")
    second.run(Watchers())
    assert second.state.update == 12
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name


def test_a_fit_that_was_interrupted_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    """From the front door, of a table with gaps: what is left out must be left out alike."""
    from evenkeel.train.step import TrainingStep

    frame, plain, updates = with_gaps(load=range(100, 104)), TrainingStep.__call__, []
    whole = fitted(frame, kind="series")

    def stopping(self, *batch, **named):
        updates.append(1)
        if len(updates) == 15:
            os.kill(os.getpid(), signal.SIGTERM)
        return plain(self, *batch, **named)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingStep, "__call__", stopping)
        assert fitted(frame, kind="series", out=tmp_path / "run").record.ended == "SIGTERM"
    found = fitted(frame, kind="series", out=tmp_path / "run")
    assert found.record.ended == whole.record.ended and found.metrics == whole.metrics
    there = found.network.state_dict()
    assert all(torch.equal(value, there[name]) for name, value in whole.network.state_dict().items())


def test_from_the_command_line(tmp_path):
    from evenkeel.cli import cli

    path, out = tmp_path / "hours.csv", tmp_path / "run"
    hourly().write_csv(path)
    sets = [f"--set={key}={value}" for key, value in {**QUICK, "updates": 4}.items()]
    done = CliRunner().invoke(cli, ["train", str(path), "--target", "load,heat", "--out", str(out), "--quiet", *sets])
    assert done.exit_code == 0, done.output
    assert "forecast with the uncertainty of each step" in done.output and (out / "report.html").is_file()
    done = CliRunner().invoke(cli, ["evaluate", str(out), str(path), "--json"])
    assert done.exit_code == 0 and set(json.loads(done.output)) >= {"rmse", "crps"}


# How data become windows


def test_nothing_of_validation_or_test_reaches_training():
    """Other values after the training part: the same scales, windows and targets of training."""
    frame = hourly()
    changed = frame.with_columns(pl.when(pl.int_range(400) < 280).then(pl.col("load")).otherwise(7.0).alias("load"))
    one, other = prepared(frame).dataset, prepared(changed).dataset
    assert one.schema.series == other.schema.series
    rows = torch.from_numpy(one.split.train)
    assert np.array_equal(one.split.train, other.split.train)
    assert torch.equal(one.inputs["window"].index_select(0, rows), other.inputs["window"].index_select(0, rows))
    assert torch.equal(one.target.index_select(0, rows), other.target.index_select(0, rows))


def test_parts_are_windows_of_consecutive_times():
    data = prepared().dataset
    steps = {part: data.target.starts[getattr(data.split, part)] for part in ("train", "validation", "test")}
    assert int(steps["train"].max()) + 6 == 280 == int(steps["validation"].min())
    assert int(steps["validation"].max()) + 6 == 340 == int(steps["test"].min()) and int(steps["test"].max()) == 394
    assert len(data) == 2 * (251 + 55 + 55)


def test_defaults_fit_the_length_of_the_table():
    data = prepared(horizon=None, window=None).dataset
    assert (data.schema.horizon, data.schema.window) == (20, 80)
    short = prepared(hourly(60), horizon=None, window=None).dataset
    assert (short.schema.horizon, short.schema.window) == (3, 19)


def test_very_many_windows_are_thinned_and_said_so(monkeypatch):
    monkeypatch.setattr("evenkeel.kinds.series.kind.MOST_VALIDATION", 20)
    data = prepared().dataset
    assert len(data.split.validation) == 2 * 10 and len(data.split.test) == 2 * 55
    assert any("Of the validation windows every 6th is taken" in note for note in data.notes)


def test_only_what_was_said_to_be_a_series_is_one():
    assert not PARTS["series"].recognises(hourly())
    assert ek.fit(hourly(), target="town", progress=False, settings={"updates": 2}).kind.name == "table"


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"task": "single-label"}, RequestError, "series are forecast by probabilistic-regression or regression, got"),
        ({"task": "forecast"}, RequestError, "no task is called 'forecast'"),
        ({"weight": "load"}, RequestError, "windows of a series all count the same; leave sample_weight out"),
        ({"request": SplitRequest(how="group:town")}, RequestError, "a forecast is split by time alone"),
        ({"target": "town"}, DataError, "column 'town' cannot be forecast: expected numbers, got String"),
        ({"target": "load2"}, DataError, "there is no series 'load2' to forecast; did you mean 'load'"),
        ({"window": 300}, DataError, r"the train part has 280 steps, fewer than window \+ horizon = 306"),
        ({"horizon": 70}, DataError, "the validation part has 60 steps, fewer than the horizon 70"),
        ({"time": "hour"}, DataError, "there is no time column 'hour'"),
        ({"frame": hourly().drop("when")}, DataError, "a forecast needs a column of dates or moments"),
        ({"frame": pl.concat([hourly(50), hourly(50)])}, DataError, "stands in more than one row of 'when'"),
        (
            {"frame": hourly().reverse(), "request": SplitRequest(how={"train": range(300), "test": range(300, 400)})},
            DataError,
            "parts given by rows need a table whose times ascend from row to row, got another order; sort the table",
        ),
    ],
)
def test_what_cannot_be_forecast_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        prepared(**options)


@pytest.mark.parametrize("setting, value", [("horizon", 0), ("window", 1), ("horizon", "long")])
def test_options_that_make_no_sense_are_refused(setting, value):
    with pytest.raises(RequestError, match=f"setting {setting} = {value!r}"):
        fitted(kind="series", settings={setting: value})
