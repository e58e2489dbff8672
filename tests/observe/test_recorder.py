from itertools import pairwise

import torch

from evenkeel.observe.recorder import BATCHES, FIRST_LOOKS, MOST_LOOKS, MOST_LOSSES, RECENT, Recorder
from evenkeel.symptoms.history import Observation


def look(step: int) -> Observation:
    return Observation(step=step, loss=1.0, rate=0.1, gradient_norm=1.0)


def test_losses_are_fetched_together_and_averaged_over_a_step():
    record = Recorder("descent", ())
    for step, values in ((1, (1.0, 3.0)), (2, (5.0,)), (3, (torch.inf,))):
        for value in values:
            record.note_loss(step, torch.tensor(value))
        record.step = step
    assert record.pending == 4 and record.losses == []
    record.fetch()
    assert [(point.step, point.loss) for point in record.losses] == [(1, 2.0), (2, 5.0), (3, torch.inf)]
    assert record.pending == 0 and record.non_finite_steps == 1


def test_a_step_in_progress_waits_for_its_end():
    record = Recorder("descent", ())
    record.note_loss(1, torch.tensor(1.0))
    record.fetch()
    assert record.losses == [] and record.pending == 1
    record.note_loss(1, torch.tensor(2.0))
    record.fetch(ended=True)
    assert [point.loss for point in record.losses] == [1.5]


def test_a_loss_that_is_overwritten_later_is_kept():
    record, loss = Recorder("descent", ()), torch.tensor(1.0)
    record.note_loss(1, loss)
    loss.fill_(9.0)
    record.step = 1
    record.fetch()
    assert record.losses[0].loss == 1.0


def test_losses_are_bounded_and_the_first_and_the_latest_stay():
    record = Recorder("descent", ())
    for step in range(1, 4 * MOST_LOSSES):
        record.step = step
        record.note_loss(step, torch.tensor(float(step)))
        if record.pending == 50:
            record.fetch()
    record.fetch()
    steps = [point.step for point in record.losses]
    assert len(steps) <= MOST_LOSSES and steps[0] == 1 and steps == sorted(set(steps))
    assert steps[-RECENT:] == list(range(record.step - RECENT + 1, record.step + 1))
    assert max(later - earlier for earlier, later in pairwise(steps)) <= 16


def test_looks_are_bounded_and_the_first_and_the_latest_stay():
    record = Recorder("descent", ())
    for step in range(1, 201):
        record.look(look(step))
    kept = [one.step for one in record.looks]
    assert len(kept) == MOST_LOOKS
    assert kept[:FIRST_LOOKS] == list(range(1, FIRST_LOOKS + 1)) and kept[-40:] == list(range(161, 201))


def test_overflows_are_counted_when_fetched():
    record = Recorder("descent", ())
    for value in (0.0, 1.0, 0.0, 1.0):
        record.note_overflow(torch.tensor([value]))
    record.fetch()
    record.fetch()
    assert record.skipped == 2


def test_sizes_and_the_history():
    record = Recorder("adaptive", ("a",))
    record.sizes.extend(range(BATCHES + 3))
    record.step, record.skipped, record.zeroed_loss, record.seen_loss = 7, 1, 2.0, 3.0
    history = record.history(ended=True)
    assert len(history.sizes) == BATCHES and history.sizes[-1] == BATCHES + 2
    assert (history.optimizer, history.outside, history.steps, history.skipped) == ("adaptive", ("a",), 7, 1)
    assert (history.zeroed_loss, history.seen_loss, history.ended) == (2.0, 3.0, True)
    assert not record.history().ended
