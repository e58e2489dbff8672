"""Where the data come from and how they were understood."""

import numpy as np

from _small import small_run
from report._runs import described


def test_the_target_is_drawn_as_its_head_draws_it():
    numbers, classes = described(small_run("regression")).data, described(small_run("single-label")).data
    np.testing.assert_array_equal(numbers.target_values, small_run("regression").sample["target"].numpy())
    assert numbers.target_counts == () and classes.target_values is None
    assert [each.name for each in classes.target_counts] == ["high", "low", "middle"]
    assert sum(each.count for each in classes.target_counts) == classes.target_rows


def test_parts_columns_and_notes_are_those_of_the_record():
    run = small_run("multi-label")
    shown = described(run).data
    assert {each.name: each.count for each in shown.parts} == run.record.rows
    assert [column.name for column in shown.columns] == [column.name for column in run.record.schema_.columns]
    assert [each.name for each in shown.target_counts] == ["wet", "cold"]
