import numpy as np
import pytest
import torch
from torch import nn

from _small import SETTINGS, TARGETS, small_run, small_table
from evenkeel import page as report
from evenkeel.page.prediction_records import ClassesSection, LabelsSection, RegressionSection
from evenkeel.run.describe import RELIABILITY_BINS, _measured, _reliability, describe
from evenkeel.run.fit import fit
from evenkeel.run.run import Run


def changed(run, **update):
    """The same run with another record."""
    return Run(run.record.model_copy(update=update), run.network, run.sample)


def told(run):
    return [sentence.text for sentence in describe(run).verdict]


@pytest.mark.parametrize("task", TARGETS)
def test_every_figure_of_the_test_rows_is_shown_and_explained(task):
    run = small_run(task)
    page = describe(run)
    assert [figure.name.replace(" ", "_") for figure in page.figures] == list(run.metrics)
    assert [figure.value for figure in page.figures] == list(run.metrics.values())
    assert all(figure.explanation for figure in page.figures)
    kinds = {"number": RegressionSection, "class": ClassesSection, "labels": LabelsSection}
    assert isinstance(page.predictions, kinds[run.part.reads])
    assert report.render(page) == run.report_text()


def test_predictions_are_those_of_the_kept_test_rows():
    run = small_run("probabilistic-regression")
    shown = describe(run).predictions
    np.testing.assert_allclose(shown.truth, run.sample["target"].numpy())
    inside = (shown.truth >= shown.lower) & (shown.truth <= shown.upper)
    assert inside.mean() == pytest.approx(run.metrics["coverage_90"])
    assert ((shown.pit >= 0.05) & (shown.pit <= 0.95)).mean() == pytest.approx(run.metrics["coverage_90"])
    plain = describe(small_run("regression")).predictions
    assert plain.lower is None and plain.pit is None


def test_the_confusion_counts_every_kept_row():
    run = small_run("single-label")
    shown = describe(run).predictions
    assert shown.names == ["high", "low", "middle"] and shown.confusion.sum() == len(run.sample["target"])
    assert shown.confusion.trace() / shown.confusion.sum() == pytest.approx(run.metrics["accuracy"])
    assert shown.confusion.sum(1).tolist() == torch.bincount(run.sample["target"], minlength=3).tolist()


def test_each_label_has_its_precision_and_recall():
    run = small_run("multi-label")
    shown = describe(run).predictions.labels[0]
    said = run.network.head.predict(run.sample["output"])[:, 0].numpy()
    there = run.sample["target"][:, 0].numpy() > 0.5
    assert shown.name == "wet" and shown.base_rate == pytest.approx(there.mean())
    assert shown.precision == pytest.approx((said & there).sum() / said.sum())
    assert shown.recall == pytest.approx((said & there).sum() / there.sum())


def test_reliability_is_the_mean_in_each_bin_that_is_used():
    confidence = np.array([0.05, 0.07, 0.55, 1.0])
    found = _reliability(confidence, np.array([True, False, True, True]))
    assert found.confidence == pytest.approx([0.06, 0.55, 1.0]) and found.accuracy == [0.5, 1.0, 1.0]
    assert found.count == [2, 1, 1] and len(found.count) <= RELIABILITY_BINS


def test_the_verdict_says_what_a_person_should_know_first():
    run = small_run("probabilistic-regression")
    assert any(text.startswith("The 90 % intervals hold ") for text in told(run))
    assert "Training was interrupted; this is the best network so far." in told(changed(run, ended="SIGTERM"))
    lost = changed(run, verdict="A plain linear model does better on the test rows: rmse 1 against 2.")
    tones = {sentence.text: sentence.tone for sentence in describe(lost).verdict}
    assert tones[lost.record.verdict] == "note"
    last = run.history[-1]
    falling = changed(run, ended="budget", best_update=last.update)
    assert any("still falling at the end" in text for text in told(falling))
    leak = "Column 'x' alone predicts the target almost perfectly (100.0%): possible leakage."
    assert leak in told(changed(run, notes=(leak,)))


def test_infinite_figures_do_not_break_the_page():
    run = small_run("probabilistic-regression")
    page = changed(run, metrics={**run.metrics, "nll": float("inf")}).report_text()
    assert page != run.report_text() and ">inf" not in page and ">nan" not in page


def test_the_plan_of_a_given_net_and_loss_names_them():
    run = fit(
        small_table("regression"),
        target="height",
        net=nn.Sequential(nn.Linear(8, 12), nn.ReLU()),
        loss=nn.L1Loss(),
        task="regression",
        progress=False,
        settings={**SETTINGS, "updates": 5},
    )
    plan = describe(run).plan
    names = [setting.name for setting in plan.settings]
    assert (plan.net, plan.loss) == ("Sequential", "L1Loss (given)")
    assert "learning rate" in names and "width" not in names, "the plan's net was not used"
    assert plan.parameters == sum(p.numel() for p in run.network.parameters())
    own = describe(small_run("regression")).plan
    names = [setting.name for setting in own.settings]
    assert "width" in names and (own.net, own.loss) == ("mlp", "mse")
    assert not {"beta", "gamma", "positive", "counts"} & set(names), "another head or loss reads these"


def test_without_plain_models_the_page_says_what_was_measured():
    text = fit("to be or not to be, that is the question. " * 60, kind="text", progress=False, settings={"updates": 2})
    said = _measured(text)
    assert said.startswith(f"On {text.record.rows['test']} test rows that nothing has touched, perplexity is ")


def test_curves_comparison_and_importance_are_those_of_the_record():
    run = small_run("single-label")
    page = describe(run)
    assert page.curves.validation.values == [look.validation_loss for look in run.history]
    assert page.curves.best_update == run.record.best_update and page.curves.loss == "cross_entropy"
    assert [row.name for row in page.baselines.rows] == ["evenkeel", "linear", "gradient boosting"]
    assert page.baselines.rows[0].values == [run.metrics[metric.name] for metric in page.baselines.metrics]
    assert [each.name for each in page.importance.columns] == [each.column for each in run.record.importance]


def test_how_to_repeat_it():
    run = changed(small_run("regression"), command="evenkeel train t.csv --target height")
    snippets = describe(run).repeat
    assert snippets[0].code == "evenkeel train t.csv --target height" and run.record.engine in snippets[-1].code


def test_without_test_rows_the_page_says_so():
    run = small_run("regression")
    bare = Run(
        run.record.model_copy(update={"metrics": {}, "baselines": {}, "verdict": "", "looks": ()}), run.network, {}
    )
    page = describe(bare)
    assert page.predictions is None and page.figures == [] and page.curves is None and page.baselines is None
    assert report.render(page)
