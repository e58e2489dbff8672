import torch

from evenkeel.observe.recorder import Recorder
from evenkeel.observe.schedule import Budget
from evenkeel.observe.step import StepWatch
from evenkeel.observe.subject import Subject
from observe._loops import small


def follow(every: int = 1):
    model = small()
    optimizers = [torch.optim.SGD(model[:3].parameters(), 0.1), torch.optim.SGD(model[3:].parameters(), 0.1)]
    record, notes = Recorder("descent", ()), []
    return StepWatch(Subject(model, optimizers), Budget(every=every), record, notes.append), optimizers, record, notes


def told(watch, model_output=None):
    watch.forward_begins(torch.nn.Identity(), (torch.randn(3, 6),), {})
    watch.forward_ends(torch.nn.Identity(), model_output)
    loss = torch.ones((), requires_grad=True) * 2
    watch.backward_begins(loss, loss, None)
    watch.backward_ends()


def test_the_first_optimizer_counts_and_a_look_waits_for_all():
    watch, (first, second), record, _ = follow()
    told(watch)
    watch.step_begins(second)
    assert not watch.step_ends(second) and record.step == 0
    watch.step_begins(first)
    assert watch.step_ends(first) and record.step == 1 and len(record.looks) == 1
    told(watch)
    watch.step_begins(first)
    assert watch.step_ends(first) and len(record.looks) == 1
    watch.step_begins(second)
    watch.step_ends(second)
    assert [look.step for look in record.looks] == [1, 2] and len(record.looks[1].parameters) == 8
    record.fetch()
    assert [point.loss for point in record.losses] == [2.0, 2.0] and list(record.sizes) == [3, 3]


def test_the_first_again_ends_a_look():
    watch, (first, _), record, _ = follow()
    for _ in range(3):
        told(watch)
        watch.step_begins(first)
        watch.step_ends(first)
    assert [look.step for look in record.looks] == [1, 2]


def test_a_step_left_out_by_a_scaler():
    watch, (first, second), record, _ = follow()
    told(watch)
    assert watch.scaler_stepped(first) and record.step == 1 and record.skipped == 1 and record.looks == []
    assert not watch.scaler_stepped(second) and record.skipped == 1
    told(watch)
    watch.step_begins(first)
    watch.step_ends(first)
    assert not watch.scaler_stepped(first) and record.step == 2 and record.skipped == 1


def test_the_next_look_is_planned_also_where_one_failed(monkeypatch):
    watch, (first, second), record, notes = follow()
    planned = []
    monkeypatch.setattr(watch._budget, "looked", lambda step, cost: planned.append(step))
    monkeypatch.setattr("evenkeel.observe.step.Probe.step_begins", lambda *given: 1 / 0)
    for _ in range(2):
        told(watch)
        for optimizer in (first, second):
            watch.step_begins(optimizer)
            watch.step_ends(optimizer)
    assert planned == [1, 2] and len(notes) == 2 and record.looks == []


def test_a_loss_from_a_device_is_located_when_it_is_fetched():
    """Other devices' losses are not read at each step: what was fetched tells, and the batch in hand is asked."""
    watch, _, record, _ = follow(every=100)
    for value in (1.0, torch.nan):
        watch.forward_begins(torch.nn.Identity(), (torch.full((3, 6), value),), {})
        watch.passed(torch.tensor(value))
    record.fetch()
    watch.look_back()
    found = record.non_finite
    assert (found.step, found.where, found.direction) == (2, "the batch", "data")
    watch.close()
    watch.look_back()
    assert record.non_finite is found
