"""What a device has not answered yet is taken later, and nobody waits for it: played by a fetch that takes its time."""

import pytest
import torch

from evenkeel.chain.record.fetch import Fetch
from evenkeel.observe import watch
from observe._loops import small, step


@pytest.fixture
def slow(monkeypatch):
    """Nothing is ready when asked, unless told."""
    answer = {"ready": False}
    monkeypatch.setattr(Fetch, "ready", property(lambda self: answer["ready"]))
    return answer


def looked_at(every: int, steps: int, then=lambda number, live: None):
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    with watch(model, optimizer, every=every) as live:
        for number in range(1, steps + 1):
            step(model, optimizer, x)
            then(number, live)
    return live


def test_a_look_waits_until_its_numbers_are_there(slow):
    seen = []

    def look(number, live):
        slow["ready"] = number >= 4
        seen.append([one.step for one in live.record.looks])

    live = looked_at(5, 7, look)
    assert seen[:4] == [[], [], [], []], "asked for at step 1, and not there"
    assert seen[-1] == [1, 5] and live.notes == []


def test_the_end_and_a_question_wait(slow):
    live = looked_at(2, 5)
    assert [one.step for one in live.history.looks] == [1, 2, 4] and live.notes == []
    assert [point.step for point in live.history.losses] == [1, 2, 3, 4, 5]


def test_late_numbers_are_those_of_their_step(slow, monkeypatch):
    torch.manual_seed(3)
    late = looked_at(1, 6).history
    monkeypatch.undo()
    torch.manual_seed(3)
    prompt = looked_at(1, 6).history
    assert [one.step for one in late.looks] == [one.step for one in prompt.looks]
    for one, other in zip(late.looks, prompt.looks, strict=True):
        assert (one.gradient_norm, one.loss) == (other.gradient_norm, other.loss)
        assert one.chain.links[-1].backward_rms == other.chain.links[-1].backward_rms
        assert [row.update_rms for row in one.parameters] == [row.update_rms for row in other.parameters]
