from typing import get_args

import pytest

from evenkeel.errors import RequestError
from evenkeel.heads import PARTS
from evenkeel.heads.for_task import head_for, heads_of
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


def test_a_head_by_its_name():
    assert head_for("embedding", "pairs", name="pairs") is PARTS["pairs"]
    assert head_for("embedding", name="pairs") is PARTS["pairs"]
    assert heads_of("embedding", "pairs") == [PARTS["pairs"]]
    assert heads_of("embedding") == [PARTS["embedding"], PARTS["pairs"]]


def test_a_head_of_another_task_or_target_is_refused():
    with pytest.raises(RequestError, match=r"'value' answers regression, not embedding; try task='regression'"):
        head_for("embedding", name="value")
    with pytest.raises(RequestError, match=r"'pairs' learns from a target of kind 'pairs', these data have 'groups'"):
        head_for("embedding", "groups", name="pairs")
    with pytest.raises(RequestError, match=r"no head is called 'valu'; did you mean 'value'\?"):
        head_for("regression", name="valu")


def test_another_task_is_refused():
    with pytest.raises(RequestError, match=r"no task is called 'regresion'; did you mean 'regression'\?"):
        head_for("regresion")
