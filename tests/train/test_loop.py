import copy
import itertools
from types import SimpleNamespace

import pytest
import torch

from _small import TARGETS, same, small_dataset, small_network, small_plan
from evenkeel.errors import TrainingError
from evenkeel.train import loop as loop_module
from evenkeel.train.loop import Loop, Watchers, batches_an_epoch, epoch_order, spread

CPU = torch.device("cpu")
TASK = "probabilistic-regression"


def trained(task=TASK, watchers=None, data=None, **settings):
    """A loop that has run over the small data set."""
    data = data or small_dataset(task)
    found = Loop(small_network(task, data, **settings), data, small_plan(task, **settings), device=CPU)
    found.run(watchers or Watchers())
    return found


def rows_seen(task=TASK, **settings):
    """The row numbers of each batch, in order."""
    seen, data = [], small_dataset(task)
    loop = Loop(small_network(task, data, **settings), data, small_plan(task, **settings), device=CPU)
    take = loop._batch

    def watched(rows):
        seen.append(rows.tolist())
        return take(rows)

    loop._batch = watched
    loop.run(Watchers())
    return seen, loop


@pytest.mark.parametrize("task", TARGETS)
def test_training_lowers_the_loss_of_every_task(task):
    loop = trained(task, updates=150, learning_rate=5e-3)
    first, best = loop.state.looks[0].validation_loss, loop.state.best_loss
    assert best < first and loop.state.ended in ("budget", "no improvement")
    assert [look.update for look in loop.state.looks] == sorted({look.update for look in loop.state.looks})


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not():
    first = trained(seed=3, dropout=0.2)
    torch.randn(7)  # whatever happened before
    again, other = trained(seed=3, dropout=0.2), trained(seed=4, dropout=0.2)
    assert same(first.network.state_dict(), again.network.state_dict())
    assert [look.validation_loss for look in first.state.looks] == [look.validation_loss for look in again.state.looks]
    assert not same(first.network.state_dict(), other.network.state_dict())


def test_a_loop_uses_tapes_and_is_the_loop_without_them_to_the_last_bit():
    """Batches of two sizes, dropout, looks in between."""
    found, settings = [], {"dropout": 0.3, "batch_size": 33}
    for use in (True, False):
        data = small_dataset(TASK)
        loop = Loop(small_network(TASK, data, **settings), data, small_plan(TASK, **settings), device=CPU)
        if not use:
            loop.step.engine = loop.step.eager
        loop.run(Watchers())
        found.append(loop)
    with_tapes, without = found
    assert len(with_tapes.step.engine._proved) == 2 and not hasattr(without.step.engine, "_proved")
    assert same(with_tapes.network.state_dict(), without.network.state_dict())
    looks = [[look.model_dump(exclude={"seconds"}) for look in loop.state.looks] for loop in found]
    assert looks[0] == looks[1] and torch.equal(with_tapes.random, without.random)


def test_dropout_depends_on_the_seed_of_the_plan_alone():
    """The same first weights and order; the masks differ only because the seed of the loop's generator does."""
    data, weights = small_dataset(TASK), small_network(TASK, dropout=0.5).state_dict()
    losses = []
    for seed in (0, 0, 1):
        network = small_network(TASK, data, dropout=0.5)
        network.load_state_dict(weights)
        loop = Loop(network, data, small_plan(TASK, dropout=0.5, seed=seed, updates=1, batch_size=200), device=CPU)
        loop.run(Watchers())
        losses.append(loop.state.looks[0].train_loss)
    assert losses[0] == losses[1] != losses[2]


def test_the_callers_random_state_is_left_alone():
    before = torch.random.get_rng_state()
    trained(dropout=0.3)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_an_order_is_a_permutation_of_seed_and_epoch():
    rows = torch.arange(100, 160)
    orders = {(seed, epoch): tuple(epoch_order(rows, seed, epoch).tolist()) for seed in range(3) for epoch in range(3)}
    assert all(sorted(order) == list(range(100, 160)) for order in orders.values())
    assert len(set(orders.values())) == 9
    assert orders[1, 2] == tuple(epoch_order(rows, 1, 2).tolist())


def test_every_training_row_is_seen_once_an_epoch_and_no_other():
    seen, loop = rows_seen(updates=20)
    count = batches_an_epoch(len(loop.rows), 32)
    assert count == 5 and len(seen) == 20
    for epoch in range(4):
        rows = list(itertools.chain(*seen[epoch * count : (epoch + 1) * count]))
        assert sorted(rows) == loop.data.split.train.tolist()
    assert loop.state.samples == 4 * len(loop.rows)
    assert len({tuple(itertools.chain(*seen[first : first + count])) for first in range(0, 20, count)}) == 4
    sizes = {len(batch) for batch in seen}
    assert max(sizes) - min(sizes) <= 1, "no last batch of a handful of rows"


@pytest.mark.parametrize("rows, size, count", [(5, 32, 1), (32, 32, 1), (47, 32, 1), (49, 32, 2), (320, 32, 10)])
def test_batches_an_epoch(rows, size, count):
    assert batches_an_epoch(rows, size) == count


def test_it_ends_with_its_budget_and_looks_at_the_end():
    loop = trained(updates=25, evaluations=4)
    assert (loop.state.update, loop.state.ended) == (25, "budget")
    assert [look.update for look in loop.state.looks] == [6, 12, 18, 24, 25]


def test_it_ends_when_nothing_improves():
    loop = trained(updates=1200, patience=0.1, learning_rate=1e-9, evaluations=120)
    assert loop.state.ended == "no improvement"
    assert 120 <= loop.state.update - loop.state.renewed <= 130 and loop.state.update < 1200


def test_a_short_budget_is_used_up():
    assert trained(updates=50, patience=0.1, learning_rate=1e-9, evaluations=10).state.ended == "budget"


def test_an_improvement_at_the_last_moment_renews_patience(monkeypatch):
    """The look is taken before patience is judged."""
    monkeypatch.setattr(loop_module, "LEAST_PATIENCE", 0)
    values = iter([3.0, 3.0, 3.0, 1.0, 1.0, 1.0])  # before the first update, then at each look
    monkeypatch.setattr(Loop, "_validation_loss", lambda self: next(values, 1.0))
    loop = trained(updates=100, evaluations=10, patience=0.2)
    assert [look.update for look in loop.state.looks] == [10, 20, 30, 40, 50]
    assert loop.state.renewed == 30 and loop.state.ended == "no improvement"


def test_a_gain_within_noise_keeps_the_weights_but_does_not_renew_patience(monkeypatch):
    values = iter([1.0, 1.0, 1.0 - 1e-6, 1.0 - 2e-6])
    monkeypatch.setattr(Loop, "_validation_loss", lambda self: next(values))
    loop = trained(updates=30, evaluations=3, patience=1.0)
    assert (loop.state.renewed, loop.state.best_update) == (10, 30)


def test_it_ends_with_its_time(monkeypatch):
    clock = itertools.count(step=0.5)
    monkeypatch.setattr(loop_module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    loop = trained(updates=1000, time_limit=5.0)
    assert loop.state.ended == "time limit" and loop.state.update == 10
    assert loop.state.looks[-1].rate < 0.3e-3, "the rate has fallen by the end of the time, not of the budget"


def test_the_best_weights_are_kept(monkeypatch):
    values = iter([9.0, 5.0, 1.0, 2.0, 3.0])
    monkeypatch.setattr(Loop, "_validation_loss", lambda self: next(values))
    states = []
    watchers = Watchers(look=lambda look: states.append(copy.deepcopy(loop.network.state_dict())))
    data = small_dataset(TASK)
    loop = Loop(small_network(TASK, data), data, small_plan(TASK, updates=40, evaluations=4, patience=1.0), device=CPU)
    loop.run(watchers)
    loop.keep_best()
    assert loop.state.best_update == 20
    assert same(loop.network.state_dict(), states[1]) and not same(states[1], states[3])


def test_a_loss_that_is_not_finite_is_never_the_best(monkeypatch):
    values = iter([9.0, float("nan"), 2.0, float("-inf"), 1.5])
    monkeypatch.setattr(Loop, "_validation_loss", lambda self: next(values))
    loop = trained(updates=40, evaluations=4, patience=1.0)
    assert (loop.state.best_loss, loop.state.best_update) == (1.5, 40)


def test_the_validation_loss_is_that_of_the_ensemble_weighted():
    data = small_dataset(TASK, weight=[1.0 + index % 3 for index in range(240)])
    loop = trained(data=data)
    held = loop.held
    loop.network.eval()
    with torch.no_grad():
        output = loop.network.output({name: value[held] for name, value in data.inputs.items()})
        values = loop.network.head.ensemble_loss(output, data.target[held])
    expected = (values * data.weight[held]).sum() / data.weight[held].sum()
    assert loop.state.looks[-1].validation_loss == pytest.approx(expected.item(), rel=1e-5)


def test_of_many_validation_rows_some_at_equal_distances_decide(monkeypatch):
    assert spread(torch.arange(10, 20), 4).tolist() == [10, 13, 16, 19]
    assert spread(torch.arange(5), 5).tolist() == [0, 1, 2, 3, 4]
    monkeypatch.setattr(loop_module, "ROWS_LOOKED_AT", 7)
    data = small_dataset(TASK)
    loop = Loop(small_network(TASK, data), data, small_plan(TASK), device=CPU)
    assert len(loop.held) == 7 and set(loop.held.tolist()) <= set(data.split.validation.tolist())


def test_without_validation_rows_the_last_weights_are_kept():
    loop = trained(data=small_dataset(TASK, validation=0.0))
    assert loop.state.ended == "budget" and loop.best == {}
    assert loop.state.looks[-1].validation_loss is None and loop.state.best_update == loop.state.update
    last = copy.deepcopy(loop.network.state_dict())
    loop.keep_best()
    assert same(loop.network.state_dict(), last)


def test_training_where_no_step_is_finite_is_an_error():
    data = small_dataset(TASK, weight=[1.0] * 240)
    network = small_network(TASK, data)
    data.weight[torch.from_numpy(data.split.train)] = torch.nan
    loop = Loop(network, data, small_plan(TASK, updates=12, patience=1.0), device=CPU)
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(TrainingError, match=r"none of 12 steps had a finite gradient; .* try a smaller learning_rate"):
        loop.run(Watchers())
    assert same(before, network.state_dict())


def test_skipped_steps_are_counted_and_left_out_of_the_means():
    data = small_dataset(TASK, weight=[1.0] * 240)
    network = small_network(TASK, data)
    data.weight[torch.from_numpy(data.split.train[:2])] = torch.nan
    loop = Loop(network, data, small_plan(TASK, updates=50, patience=1.0), device=CPU)
    loop.run(Watchers())
    skipped = loop.state.skipped
    assert 10 <= skipped <= 20, "one or two of the five batches of each epoch hold a bad row"
    assert all(look.train_loss is None or look.train_loss == look.train_loss for look in loop.state.looks)
    assert all(p.isfinite().all() for p in loop.network.parameters())
    assert loop.state.looks[-1].skipped == skipped


def test_stopping_from_outside_takes_no_look_and_keeps_what_was_measured():
    loop = trained(updates=60, evaluations=6, watchers=Watchers(stop=stop_after(25)))
    assert (loop.state.update, loop.state.ended) == (25, "SIGINT")
    assert [look.update for look in loop.state.looks] == [10, 20] and len(loop.recent) == 5
    loop.keep_best()
    assert [look.update for look in loop.state.looks] == [10, 20, 25], "judged before the best weights are taken"


def test_watchers_see_every_step_and_look():
    steps, looks = [], []
    trained(
        updates=20, evaluations=4, watchers=Watchers(step=lambda state: steps.append(state.update), look=looks.append)
    )
    assert steps == list(range(1, 21)) and [look.update for look in looks] == [5, 10, 15, 20]
    assert [look.samples for look in looks] == [168, 336, 504, 672]


def stop_after(updates):
    """A stop that asks for the end at the given update."""
    count = itertools.count(1)
    return lambda: "SIGINT" if next(count) >= updates else ""


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_dropout_depends_on_the_seed_too():
    runs = []
    for noise in (1, 7):
        torch.cuda.manual_seed(noise)
        data = small_dataset(TASK)
        loop = Loop(
            small_network(TASK, data, dropout=0.5), data, small_plan(TASK, dropout=0.5), device=torch.device("cuda")
        )
        loop.run(Watchers())
        runs.append([look.train_loss for look in loop.state.looks])
    assert runs[0] == runs[1]


def test_of_rows_that_are_alike_an_epoch_draws_one():
    rows, alike = torch.arange(50, 90), torch.arange(40) // 4
    orders = [epoch_order(rows, 0, epoch, alike) for epoch in range(30)]
    assert all(sorted(((order - 50) // 4).tolist()) == list(range(10)) for order in orders)
    assert len({int(order[0]) // 4 for order in orders}) > 5, "the groups come in another order each time"
    assert set(torch.cat(orders).tolist()) == set(rows.tolist()), "every row comes at last"
    assert torch.equal(orders[3], epoch_order(rows, 0, 3, alike))
    assert torch.equal(epoch_order(rows, 0, 3), epoch_order(rows, 0, 3, torch.arange(40)))
