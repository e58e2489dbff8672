import torch

from evenkeel.observe import watch
from observe._loops import small, step


def looks(steps: int, x=lambda number: torch.randn(12, 6), **options):
    """Steps with a look each, and whether it repeated an earlier one."""
    model, repeated = small(), []
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1, **options) as live:
        repeats = live._step._reuse
        for number in range(1, steps + 1):
            step(model, optimizer, x(number))
            repeated.append(repeats.cost == "repeated")
    return live, [number for number, one in enumerate(repeated, start=1) if not one]


def test_looks_repeat_each_other_but_for_powers_of_two():
    live, whole = looks(40)
    assert whole == [1, 2, 4, 8, 16, 32] and live.notes == []
    assert len(live.history.looks) == 40 and len(live.history.chains) == 40


def test_what_steps_change_is_looked_at_at_each_fourth():
    live, _ = looks(12)
    assert [one.step for one in live.history.looks if one.parameters] == [1, 2, 4, 8, 12]
    assert all(one.gradient_norm > 0 for one in live.history.looks)


def test_a_batch_of_another_size_is_looked_at_anew():
    live, whole = looks(12, lambda number: torch.randn(5 if number == 7 else 12, 6))
    assert {1, 2, 4, 7, 8} <= set(whole) and live.notes == []
    assert live.history.looks[6].chain.batch == 5


def test_repeated_looks_read_the_step_they_look_at():
    """Against the norms that the parameters' own gradients have."""
    model, wanted = small(), []
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with watch(model, optimizer, every=1) as live:
        for _ in range(7):
            optimizer.zero_grad()
            (model(torch.randn(12, 6)) - 1).square().mean().backward()
            wanted.append(model[0].weight.grad.norm().item())
            optimizer.step()
    found = [one.chain.links[0].terms[0].gradient_norm for one in live.history.looks]
    assert torch.allclose(torch.tensor(found), torch.tensor(wanted), rtol=1e-5)
