"""The network beside plain models."""

from _small import small_run
from report._runs import changed, described


def test_the_table_is_that_of_the_record():
    run = small_run("single-label")
    table = described(run).baselines
    assert [row.name for row in table.rows] == ["evenkeel", "linear", "gradient boosting"]
    assert table.rows[0].values == [run.metrics[metric.name] for metric in table.metrics]


def test_a_metric_that_no_plain_model_has_is_left_out():
    run = changed(small_run("single-label"), baselines={"linear": {"accuracy": 0.5}})
    table = described(run).baselines
    assert [metric.name for metric in table.metrics] == ["accuracy"] and table.rows[1].values == [0.5]
