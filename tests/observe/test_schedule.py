import pytest

from _unchecked import unchecked
from evenkeel.errors import RequestError
from evenkeel.observe import schedule as module
from evenkeel.observe.schedule import ALL, JUDGING, KEEPING, REPEATED, Budget


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


def simulate(clock, share: float, look: float, first: float, steps: int) -> tuple[Budget, list[int]]:
    """Steps of one second; a look takes so long, the first one more."""
    budget, looks = Budget(share), []
    budget.start()
    for step in range(1, steps + 1):
        due = budget.due(step)
        clock.now += 1
        if due:
            budget.opened()
            cost = look if looks else first
            clock.now += cost
            budget.charge(cost)
            budget.looked(step)
            looks.append(step)
    return budget, looks


@pytest.mark.parametrize("share", [0.01, 0.1])
@pytest.mark.parametrize("look", [0.2, 3.0])
def test_the_cost_settles_below_the_share(clock, share, look):
    budget, looks = simulate(clock, share, look, 3 * look, 5000)
    assert looks[0] == 1 and len(looks) > 3
    assert budget.cost <= ALL * share * 1.001
    assert budget.cost > 0.6 * ALL * share
    assert budget.own == pytest.approx(5000)


def test_a_dearer_first_look_is_waited_for(clock):
    _, looks = simulate(clock, 0.1, 1.0, 5.0, 1000)
    assert looks[1] > 50


def test_own_time_leaves_the_watch_out(clock):
    budget = Budget(0.01)
    clock.now = 10
    budget.charge(4.0)
    assert budget.own == 6 and budget.cost == pytest.approx(4 / 6)


@pytest.mark.parametrize(("every", "expected"), [(1, [1, 2, 3, 4, 5, 6]), (3, [1, 3, 6]), (100, [1])])
def test_every(every, expected):
    budget = Budget(every=every)
    budget.charge(1e9)
    assert [step for step in range(1, 7) if budget.due(step)] == expected


def test_judgements_have_a_part_of_their_own(clock):
    budget = Budget(0.1)
    clock.now = 100
    part = JUDGING * 0.1 * 100
    assert budget.affords(part) and not budget.affords(part * 1.01)
    budget.judged(part / 2)
    assert not budget.affords(part * 0.51)
    assert Budget(every=2).affords(1e9)


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5])
def test_a_share_out_of_range(share):
    with pytest.raises(RequestError, match="share of the time, above 0 and at most 1"):
        Budget(share)


def test_what_each_step_costs_is_spread(clock):
    budget = Budget(0.01)
    clock.now = 100
    part = KEEPING * 0.01 * 100 / 50
    assert [budget.stride(part * times, 50) for times in (0.5, 0.99, 1.5, 9.5)] == [1, 1, 2, 10]
    assert Budget(every=3).stride(1e9, 50) == 1


def test_a_brief_look_is_paid_from_the_same_part(clock):
    budget = Budget(0.1)
    clock.now = 100
    assert budget.due(2)
    budget.opened()
    budget.charge(9.5)
    budget.glanced()
    assert not budget.due(3)


@pytest.mark.parametrize("every", [0, -2, 1.5])
def test_every_must_be_a_number_of_steps(every):
    with unchecked(), pytest.raises(RequestError, match="whole number of steps, 1 or more"):
        Budget(every=every)


def test_ranks_take_the_latest_proposal(clock, monkeypatch):
    monkeypatch.setattr(module.distributed, "is_initialized", lambda: True)
    asked = []

    def agreed(step):
        asked.append(step)
        return step + 5

    monkeypatch.setattr(module, "_agreed", agreed)
    budget = Budget(0.5)
    budget.together = True
    clock.now = 2
    budget.charge(1.0)
    budget.looked(1)
    assert len(asked) == 1
    assert not budget.due(asked[0] + 4) and budget.due(asked[0] + 5)
    alone = Budget(0.5)
    alone.looked(1)
    always = Budget(every=2)
    always.together = True
    always.looked(1)
    assert len(asked) == 1


def test_brief_looks_come_at_powers_of_two_and_say_nothing_of_a_full_ones_cost(clock):
    budget = Budget(0.01)
    assert [step for step in range(1, 40) if budget.brief(step)] == [2, 4, 8, 16, 32]
    assert not any(Budget(every=3).brief(step) for step in range(1, 40))
    budget.charge(1.0)
    budget.looked(1)
    budget.charge(0.1)
    budget.glanced()
    clock.now = 2.1 / (ALL * 0.01) - 1 + 1.1
    assert not budget.due(5)  # 1.1 spent and 1.0 to come
    clock.now += 2
    assert budget.due(5)


def test_steps_that_eat_the_budget_leave_half_of_it_for_looks(clock):
    budget = Budget(0.01)
    budget.charge(1.0)
    budget.looked(1)
    clock.now = 1000.0
    budget.charge(15.0)  # counting steps: more than 1 % of the time
    assert budget.due(900)
    budget.opened()
    budget.charge(3.5)
    budget.looked(900)
    assert not budget.due(901)


def test_a_look_that_can_be_repeated_promises_cheaper_ones(clock):
    budget = Budget(0.1)
    budget.charge(5.0)
    budget.looked(1, "repeatable")
    clock.now = 5.0 + (5.0 + REPEATED * 5.0) / (ALL * 0.1) + 1
    assert budget.due(2) and not budget.pays_whole()
    budget.opened()
    budget.charge(0.5)
    budget.looked(2, "repeated")
    clock.now += 1000
    assert budget.pays_whole()
