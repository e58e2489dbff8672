import gc

import pytest

from evenkeel.observe.budget import Budget
from evenkeel.observe.care import Care


def test_care_charges_and_hands_on_what_went_wrong():
    budget, problems = Budget(), []
    care = Care(budget, problems.append)
    with care:
        assert care.active and gc.isenabled()
    care.pausing = True
    with care:
        assert care.active and not gc.isenabled()
    assert budget.spent > 0 and gc.isenabled() and not care.active and problems == []
    with care:
        raise ValueError("ours")
    assert [str(problem) for problem in problems] == ["ours"] and gc.isenabled()
    with pytest.raises(KeyboardInterrupt), care:
        raise KeyboardInterrupt
    assert len(problems) == 1 and gc.isenabled() and not care.active


def test_care_leaves_a_collector_that_is_off_off():
    gc.disable()
    try:
        care = Care(Budget(), print)
        care.pausing = True
        with care:
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
