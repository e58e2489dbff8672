"""The looks of a training as curves."""

from _small import small_run
from evenkeel.report.curves import curves
from report._runs import changed


def test_curves_are_those_of_the_looks():
    run = small_run("single-label")
    shown = curves(run.record)
    assert shown.validation.values == [look.validation_loss for look in run.history]
    assert shown.best_update == run.record.best_update and shown.loss == "cross_entropy"


def test_without_a_look_or_validation_rows_there_is_nothing_to_draw_of_them():
    run = small_run("single-label")
    assert curves(changed(run, looks=()).record) is None
    blind = tuple(look.model_copy(update={"validation_loss": None}) for look in run.history)
    assert curves(changed(run, looks=blind).record).validation is None
