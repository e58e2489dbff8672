from typing import get_args

import pytest

from evenkeel.errors import RequestError
from evenkeel.heads._for_task import head_for
from evenkeel.task import KINDS, Task


@pytest.mark.parametrize("task", get_args(Task))
def test_every_task_has_the_head_that_reads_its_target(task):
    assert head_for(task).call.task == task
    assert head_for(task).reads == KINDS[task]


def test_another_task_is_refused():
    with pytest.raises(RequestError, match=r"no task is called 'regresion'; did you mean 'regression'\?"):
        head_for("regresion")
