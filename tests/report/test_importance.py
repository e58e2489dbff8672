"""Which columns the network leans on."""

from _small import small_run
from report._runs import changed, described


def test_columns_are_those_of_the_record():
    run = small_run("single-label")
    shown = described(run).importance
    assert [each.name for each in shown.columns] == [each.column for each in run.record.importance]
    assert shown.metric == "accuracy" and described(changed(run, importance=())).importance is None
