from typing import get_args

import pytest

from evenkeel.errors import RequestError
from evenkeel.heads import PARTS
from evenkeel.heads.for_task import head_for
from evenkeel.task import KINDS, Task


@pytest.mark.parametrize("task", get_args(Task))
def test_every_task_has_the_head_that_reads_its_target(task):
    assert head_for(task).call.task == task
    assert head_for(task).target == KINDS.get(task, "tokens"), "generation reads no column: tokens come next"


@pytest.mark.parametrize("task, name", [("embedding", "embedding"), ("generation", "tokens")])
def test_of_several_heads_one_is_chosen_by_the_task(task, name):
    assert head_for(task).name == name


def test_no_two_heads_are_chosen_by_one_task():
    chosen = [record.call.task for record in PARTS.values() if record.chosen == "by-task"]
    assert len(chosen) == len(set(chosen)) and set(chosen) == {record.call.task for record in PARTS.values()}


def test_another_task_is_refused():
    with pytest.raises(RequestError, match=r"no task is called 'regresion'; did you mean 'regression'\?"):
        head_for("regresion")
