"""Looks come often at first, and at the last step."""

import pytest

from evenkeel.doctor.powers import PowersOfTwo


@pytest.mark.parametrize(("steps", "expected"), [(1, [1]), (3, [1, 2, 3]), (100, [1, 2, 4, 8, 16, 32, 64, 100])])
def test_powers_of_two_and_the_end(steps: int, expected: list[int]) -> None:
    plan = PowersOfTwo(steps)
    assert [step for step in range(1, steps + 1) if plan.due(step)] == expected


def test_time_is_noted_and_costs_nothing() -> None:
    plan = PowersOfTwo(4)
    plan.charge(2.0)
    assert plan.spent == 2.0 and plan.cost == 0.0
