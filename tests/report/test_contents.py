"""The whole report: every section has its place, and the page is drawn of them."""

import pytest

from _small import TARGETS, small_run
from evenkeel import page
from evenkeel.report import render
from evenkeel.run.run import Run
from report._runs import changed, described


@pytest.mark.parametrize("task", TARGETS)
def test_the_page_is_drawn_of_what_the_report_holds(task):
    run = small_run(task)
    held = described(run)
    assert page.render(held) == render(run.record, run.network, run.sample) == run.report_text()
    assert held.title == run.record.target.name and held.version == f"evenkeel {run.record.version}"


def test_infinite_figures_do_not_break_the_page():
    run = small_run("probabilistic-regression")
    page = changed(run, metrics={**run.metrics, "nll": float("inf")}).report_text()
    assert page != run.report_text() and ">inf" not in page and ">nan" not in page


def test_without_test_rows_the_page_says_so():
    run = small_run("regression")
    bare = Run(
        run.record.model_copy(update={"metrics": {}, "baselines": {}, "verdict": "", "looks": ()}), run.network, {}
    )
    held = described(bare)
    assert held.predictions is None and held.figures == [] and held.curves is None and held.baselines is None
    assert page.render(held)
