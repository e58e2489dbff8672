import copy

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW

from evenkeel.train.adam import DirectAdam

SHAPES = [(4, 3), (3,), (5, 4, 2), ()]


def optimizer_of(kind, seed=0):
    """Two groups with other decay, over parameters of several shapes."""
    torch.manual_seed(seed)
    found = [nn.Parameter(torch.randn(shape)) for shape in SHAPES]
    groups = [{"params": found[:2], "weight_decay": 0.1}, {"params": found[2:], "weight_decay": 0.0}]
    return kind(groups, lr=0.01, fused=True)


def parameters(optimizer):
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def by_torch(optimizer, gradients, scale, skipped):
    """The same update the ordinary way."""
    for parameter, gradient in zip(parameters(optimizer), gradients, strict=True):
        parameter.grad = gradient
    optimizer.grad_scale, optimizer.found_inf = scale, skipped
    optimizer.step()


def draw(generator, update):
    """Gradients of one update: one is missing at times, one update is skipped, some are divided."""
    gradients = [10 * torch.randn(shape, generator=generator) for shape in SHAPES]
    if update % 5 == 4:
        gradients[1] = None
    scale = torch.tensor(3.0) if update % 2 else None
    return gradients, scale, torch.tensor(1.0 if update == 3 else 0.0)


def assert_same(left, right):
    for one, other in zip(parameters(left), parameters(right), strict=True):
        assert torch.equal(one, other)
    mine, theirs = left.state_dict(), right.state_dict()
    assert mine["param_groups"] == theirs["param_groups"] and mine["state"].keys() == theirs["state"].keys()
    for index, state in theirs["state"].items():
        assert mine["state"][index].keys() == state.keys()
        assert all(torch.equal(mine["state"][index][name], value) for name, value in state.items())


@pytest.mark.parametrize("kind", [Adam, AdamW])
def test_it_is_the_optimizers_own_step_to_the_last_bit(kind):
    left, right = optimizer_of(kind), optimizer_of(kind)
    direct, generator = DirectAdam(left), torch.Generator().manual_seed(1)
    for update in range(20):
        for optimizer in (left, right):
            optimizer.param_groups[0]["lr"] = 0.01 / (1 + update)
        gradients, scale, skipped = draw(generator, update)
        direct([None if g is None else g.clone() for g in gradients], scale, skipped)
        by_torch(right, gradients, scale, skipped)
        assert_same(left, right)
    assert left.state_dict()["state"][0]["step"] == 19 and left.state_dict()["state"][1]["step"] == 15


@pytest.mark.parametrize("kind", [Adam, AdamW])
def test_a_loaded_state_is_gone_on_with(kind):
    left, right = optimizer_of(kind), optimizer_of(kind)
    direct, generator = DirectAdam(left), torch.Generator().manual_seed(1)
    saved = None
    for update in range(12):
        gradients, scale, skipped = draw(generator, update)
        direct([None if g is None else g.clone() for g in gradients], scale, skipped)
        by_torch(right, gradients, scale, skipped)
        if update == 5:
            saved = copy.deepcopy(left.state_dict())
        if update == 8:
            left.load_state_dict(copy.deepcopy(saved))
            right.load_state_dict(copy.deepcopy(saved))
    assert_same(left, right)
    assert left.state_dict()["state"][0]["step"] == saved["state"][0]["step"] + 3


def test_both_ways_may_take_turns():
    left, right = optimizer_of(Adam), optimizer_of(Adam)
    direct, generator = DirectAdam(left), torch.Generator().manual_seed(1)
    for update in range(9):
        gradients, scale, skipped = draw(generator, update)
        copies = [None if g is None else g.clone() for g in gradients]
        direct(copies, scale, skipped) if update % 3 else by_torch(left, copies, scale, skipped)
        by_torch(right, gradients, scale, skipped)
    assert_same(left, right)


def test_which_optimizers_it_fits():
    weight = nn.Parameter(torch.ones(2))
    assert DirectAdam.fits(optimizer_of(Adam)) and DirectAdam.fits(optimizer_of(AdamW))

    class Own(Adam):
        pass

    others = [SGD([weight], lr=0.1), Adam([weight]), Own([weight], fused=True)]
    others += [Adam([weight], fused=True, amsgrad=True), Adam([weight], fused=True, maximize=True)]
    others += [Adam([weight], lr=torch.tensor(0.1), fused=True)]
    assert not any(DirectAdam.fits(other) for other in others)


def test_it_knows_who_waits_for_the_optimizers_own_step():
    optimizer = optimizer_of(Adam)
    direct = DirectAdam(optimizer)
    assert not direct.watched
    for register in (optimizer.register_step_pre_hook, optimizer.register_step_post_hook):
        hook = register(lambda *given: None)
        assert direct.watched
        hook.remove()
        assert not direct.watched
    torch.optim.lr_scheduler.StepLR(optimizer, 1)  # counts the calls by putting its own step over the optimizer's
    assert direct.watched
