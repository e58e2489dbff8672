import gc

import pytest

from evenkeel.observe.overhead import Overhead
from evenkeel.observe.schedule import Budget


def test_care_charges_and_hands_on_what_went_wrong():
    budget, problems = Budget(), []
    overhead = Overhead(budget, problems.append)
    with overhead:
        assert overhead.active and gc.isenabled()
    overhead.pausing = True
    with overhead:
        assert overhead.active and not gc.isenabled()
    assert budget.spent > 0 and gc.isenabled() and not overhead.active and problems == []
    with overhead:
        raise ValueError("ours")
    assert [str(problem) for problem in problems] == ["ours"] and gc.isenabled()
    with pytest.raises(KeyboardInterrupt), overhead:
        raise KeyboardInterrupt
    assert len(problems) == 1 and gc.isenabled() and not overhead.active


def test_care_leaves_a_collector_that_is_off_off():
    gc.disable()
    try:
        overhead = Overhead(Budget(), print)
        overhead.pausing = True
        with overhead:
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
