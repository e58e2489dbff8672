import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

from _small import LABELS, SETTINGS, TARGETS, small_frame, small_run, small_table
from evenkeel.errors import DataError, RequestError, SavedRunError
from evenkeel.run.fit import fit
from evenkeel.run.run import REPORT, WEIGHTS, Run, check_replaceable, load

NEW = small_frame(rows=50, seed=9)
NUMBERS = ("regression", "probabilistic-regression", "positive-regression")


@pytest.mark.parametrize("task", TARGETS)
def test_a_loaded_run_predicts_the_same_bits(task, tmp_path):
    run = small_run(task)
    again = load(run.save(tmp_path / "run"))
    assert (again.predict(NEW) == run.predict(NEW)).all() and (again.embed(NEW) == run.embed(NEW)).all()
    assert again.record == run.record and again.metrics == run.metrics and again.history == run.history
    assert again.report_text() == run.report_text()
    if task in NUMBERS[1:]:
        there, here = again.predict_distribution(NEW), run.predict_distribution(NEW)
        assert (there.quantile([0.1, 0.9]) == here.quantile([0.1, 0.9])).all() and (there.std == here.std).all()
    elif task not in NUMBERS:
        assert (again.predict_proba(NEW) == run.predict_proba(NEW)).all()


def test_a_loaded_run_can_be_saved_again(harmed, tmp_path):
    again = load(load(harmed).save(tmp_path / "elsewhere"))
    assert (again.predict(NEW) == load(harmed).predict(NEW)).all()
    assert (tmp_path / "elsewhere" / WEIGHTS).read_bytes() == (harmed / WEIGHTS).read_bytes()


@pytest.mark.parametrize("task", NUMBERS)
def test_numbers_come_back_in_their_units(task):
    run = small_run(task)
    found = run.predict(NEW)
    assert found.dtype == np.float64 and found.shape == (50,)
    truth = NEW[TARGETS[task]].to_numpy()
    assert np.abs(found - truth).mean() < 0.7 * np.abs(truth - truth.mean()).mean()
    with pytest.raises(RequestError, match="predicts numbers, not classes; try predict_distribution"):
        run.predict_proba(NEW)


def test_classes_come_back_as_they_were():
    run = small_run("single-label")
    assert run.classes == ("high", "low", "middle") and set(run.predict(NEW)) <= set(run.classes)
    probability = run.predict_proba(NEW)
    assert probability.shape == (50, 3) and np.allclose(probability.sum(1), 1)
    assert (np.asarray(run.classes)[probability.argmax(1)] == run.predict(NEW)).all()


@pytest.mark.parametrize(
    "values, kind", [([True, False], np.bool_), ([3, 7], np.integer), (["x", "y"], np.str_), ([2.5, 4.0], np.floating)]
)
def test_classes_keep_their_type(values, kind):
    frame = small_table("regression").drop("height")
    frame = frame.with_columns(answer=pl.Series([values[int(each)] for each in (frame["noise"] > 0)]))
    run = fit(frame, target="answer", task="single-label", progress=False, settings={**SETTINGS, "updates": 5})
    found = run.predict(frame)
    assert np.issubdtype(found.dtype, kind) and set(found.tolist()) <= set(values)


def test_labels_come_back_as_a_matrix():
    run = small_run("multi-label")
    assert run.classes == tuple(LABELS)
    found, probability = run.predict(NEW), run.predict_proba(NEW)
    assert found.dtype == bool and found.shape == (50, 2) and (found == (probability > 0.5)).all()


@pytest.mark.parametrize("task", ["regression", "single-label", "multi-label"])
def test_where_there_is_no_distribution_that_is_said(task):
    with pytest.raises(
        RequestError, match=r"no distribution; train with task='probabilistic-regression'.*predict_proba"
    ):
        small_run(task).predict_distribution(NEW)


def test_intervals_hold_their_share_of_new_rows():
    many = small_frame(rows=500, seed=3)
    low, high = small_run("probabilistic-regression").predict_distribution(many).interval(0.9)
    truth = many["height"].to_numpy()
    assert 0.8 < ((truth >= low) & (truth <= high)).mean() <= 1.0


@pytest.mark.parametrize("task", TARGETS)
def test_columns_may_be_in_any_order_and_more_than_needed(task):
    run, needed = small_run(task), NEW[["signal", "noise", "town"]]
    expected = run.predict(needed)
    assert (run.predict(needed[["town", "noise", "signal"]]) == expected).all()
    assert (run.predict(needed.with_columns(extra=pl.lit("x"))) == expected).all()
    assert (run.predict(needed.to_pandas()) == expected).all()
    assert (run.predict(needed.to_dict(as_series=False)) == expected).all()


def test_predictions_do_not_depend_on_the_rows_beside():
    run = small_run("probabilistic-regression")
    one_by_one = np.concatenate([run.predict(NEW[index]) for index in range(10)])
    np.testing.assert_allclose(one_by_one, run.predict(NEW)[:10], rtol=1e-6)


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match=r"lacks 1 column\(s\) that training used: \['town'\]"):
        small_run("regression").predict(NEW.drop("town"))


def test_an_unseen_category_is_as_a_missing_one():
    run = small_run("regression")
    unseen, missing = (NEW.with_columns(town=pl.lit(value, dtype=pl.String)) for value in ("atlantis", None))
    assert (run.predict(unseen) == run.predict(missing)).all() and np.isfinite(run.predict(unseen)).all()
    assert (run.predict(unseen) != run.predict(NEW)).any()


def test_missing_and_huge_numbers_still_give_predictions():
    wild = NEW.with_columns(signal=pl.lit(None, dtype=pl.Float64), noise=pl.lit(1e30))
    assert np.isfinite(small_run("regression").predict(wild)).all()


def test_evaluating_the_test_rows_again_gives_the_same_figures():
    words = ["train"] * 150 + ["validation"] * 40 + ["test"] * 50
    for task in TARGETS:
        table = small_table(task)
        run = fit(
            table, target=TARGETS[task], task=task, split=words, progress=False, settings={**SETTINGS, "updates": 10}
        )
        found = run.evaluate(table[190:])
        assert found == pytest.approx(run.metrics, rel=1e-5)


def test_evaluating_needs_the_target():
    run = small_run("regression")
    with pytest.raises(DataError, match="there is no column 'height'"):
        run.evaluate(NEW.drop("height"))
    with pytest.raises(DataError, match="no row has a value of the target 'height'"):
        run.evaluate(NEW.with_columns(height=pl.lit(None, dtype=pl.Float64)))
    some = NEW.with_columns(height=pl.when(pl.int_range(pl.len()) < 20).then("height"))
    assert run.evaluate(some) == run.evaluate(NEW[:20]), "rows without a target are left out"


def test_features_of_all_members_stand_side_by_side():
    assert small_run("regression").embed(NEW).shape == (50, 2 * SETTINGS["width"])


def test_text_is_not_generated_from_a_table():
    with pytest.raises(RequestError, match="for regression by Value writes no text; train on a text"):
        small_run("regression").generate("once")


def test_an_array_of_another_width_is_refused():
    numbers = np.random.default_rng(0).normal(size=(60, 3))
    run = fit((numbers, numbers[:, 0]), task="regression", progress=False, settings={**SETTINGS, "updates": 5})
    with pytest.raises(DataError, match="expected an array with the 3 columns of training, x0, x1, x2; got 2 columns"):
        run.predict(numbers[:, :2])


def test_it_says_what_it_is():
    run = small_run("single-label")
    assert repr(run).startswith("Run(single-label of 'class': accuracy ")
    empty = Run(run.record.model_copy(update={"metrics": {}}), run.network, {})
    assert repr(empty) == "Run(single-label of 'class': no test rows)"


def test_a_net_of_ones_own_is_needed_again(tmp_path):
    net = nn.Sequential(nn.Linear(8, 12), nn.ReLU())
    table = small_table("regression")
    run = fit(
        table, target="height", net=net, progress=False, settings={**SETTINGS, "updates": 5}, out=tmp_path / "run"
    )
    with pytest.raises(SavedRunError, match=r"a net of your own \(Sequential\); pass it: load\(..., net=...\)"):
        load(tmp_path / "run")
    before = [parameter.clone() for parameter in net.parameters()]
    again = load(tmp_path / "run", net=net)
    assert (again.predict(table) == run.predict(table)).all()
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True)), "a copy gets the weights"
    with pytest.raises(SavedRunError, match="do not fit the network"):
        load(tmp_path / "run", net=nn.Sequential(nn.Linear(8, 5), nn.ReLU()))


def test_other_files_in_the_folder_stay(harmed):
    (harmed / "notes.txt").write_text("mine")
    load(harmed).save(harmed)
    assert (harmed / "notes.txt").read_text() == "mine" and load(harmed)


def test_a_folder_with_something_else_is_never_replaced(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "sea.jpg").write_text("sea")
    with pytest.raises(SavedRunError, match="holds something that is not a run; choose another folder"):
        small_run("regression").save(tmp_path / "photos")
    with pytest.raises(SavedRunError, match="is a file"):
        check_replaceable(tmp_path / "photos" / "sea.jpg")
    assert (tmp_path / "photos" / "sea.jpg").read_text() == "sea"


@pytest.mark.parametrize("where", [".", "deep/er/run", "empty"])
def test_it_saves_to_an_empty_or_new_folder(tmp_path, monkeypatch, where):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "empty").mkdir(parents=True)
    if where == ".":
        (tmp_path / "here" / "empty").rmdir()
    monkeypatch.chdir(tmp_path / "here")
    small_run("regression").save(where)
    assert load(tmp_path / "here" / where).metrics == small_run("regression").metrics


def test_the_report_is_one_file_or_an_error(tmp_path):
    run = small_run("regression")
    assert run.report(tmp_path / REPORT).read_text() == run.report_text()
    with pytest.raises(RequestError, match=r"could not write .*try another path"):
        run.report(tmp_path)
