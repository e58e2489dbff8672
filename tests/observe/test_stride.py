import pytest

from evenkeel.doctor.powers import PowersOfTwo
from evenkeel.observe.schedule import Budget
from evenkeel.observe.stride import CLOSE, COUNT, Stride


class Ledger(Budget):
    """A budget whose numbers are given."""

    def __init__(self, strides: int, due: int | None = None) -> None:
        super().__init__(0.01)
        self._strides, self._due = strides, due

    def stride(self, seconds, steps):
        return self._strides

    def due(self, step):
        return self._due is not None and step >= self._due


def counting(pace: Stride, steps: int) -> list[int]:
    """The steps that are merely counted."""
    found = []
    for step in range(1, steps + 1):
        if pace.counting:
            found.append(step)
            pace.expects()
            pace.counted(step)
        else:
            pace.saw(True)
            pace.followed(step, looked=False, looking=False)
    return found


@pytest.mark.parametrize("stride", [1, 3, 10])
def test_the_first_steps_each_stride_and_powers_of_two_are_followed(stride):
    counted = counting(Stride(Ledger(stride)), 200)
    wanted = [s for s in range(CLOSE + 1, 201) if s % stride and s & (s - 1)]
    assert counted == wanted


@pytest.mark.parametrize("due", range(33, 63))
def test_a_look_that_becomes_due_waits_a_few_steps_at_most(due):
    pace = Stride(Ledger(1000, due=due))
    counted = counting(pace, due + COUNT)
    followed = [step for step in range(due, due + COUNT + 1) if step not in counted]
    assert followed and followed[0] - due <= COUNT


def test_each_step_of_a_schedule_that_has_no_budget_is_followed():
    assert counting(Stride(PowersOfTwo(50)), 50) == []


def test_losses_of_others_are_known_by_their_place():
    pace = Stride(Ledger(1000))
    for step in range(1, CLOSE + 1):
        pace.saw(False)
        pace.saw(True)
        pace.followed(step, looked=False, looking=False)
    assert pace.counting
    assert [pace.expects() for _ in range(3)] == [False, True, True]


def test_while_a_look_goes_on_the_next_step_is_followed():
    pace = Stride(Ledger(1000))
    for step in range(1, CLOSE + 2):
        pace.saw(True)
        pace.followed(step, looked=True, looking=True)
    assert not pace.counting
