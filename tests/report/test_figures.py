"""Every metric is a figure with its unit and what it says."""

import pytest

from _small import TARGETS, small_run
from evenkeel.report.figures import figures
from report._runs import changed


@pytest.mark.parametrize("task", TARGETS)
def test_every_figure_of_the_test_rows_is_shown_and_explained(task):
    run = small_run(task)
    shown = figures(run.record)
    assert [figure.name.replace(" ", "_") for figure in shown] == list(run.metrics)
    assert [figure.value for figure in shown] == list(run.metrics.values())
    assert all(figure.explanation for figure in shown)


def test_units_and_shares_are_those_of_the_metric():
    run = small_run("probabilistic-regression")
    shown = {figure.name: figure for figure in figures(run.record)}
    assert shown["rmse"].unit == shown["width 90"].unit == "in units of height" and shown["r2"].unit == ""
    assert shown["coverage 90"].form == "percent" and shown["rmse"].form == "number"
    ranked = {figure.name: figure for figure in figures(changed(run, metrics={"left_recall_at_5": 0.5}).record)}
    assert ranked["left recall at 5"].explanation.startswith("how often")
