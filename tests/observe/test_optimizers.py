"""Scalers, and several optimizers."""

import pytest
import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler

from evenkeel.chain import trace
from evenkeel.observe import watch
from observe._loops import alike, small, step


@pytest.fixture(autouse=True)
def nothing_compiled():
    """Where any function was compiled, models are replayed: these tests mean the live graph."""
    torch._dynamo.reset()


def test_a_scaler_is_divided_out():
    torch.manual_seed(0)
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    expected = trace(model, lambda output, target: (output - 1).square().mean(), (x, None))
    scaler = GradScaler("cpu", init_scale=1024.0)
    norms = []
    with watch(model, optimizer, every=1) as looked:
        for number in range(4):
            optimizer.zero_grad()
            loss = (model(x) - 1).square().mean()
            scaler.scale(loss).backward()
            norms.append(torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item())
            if number == 2:
                next(model.parameters()).grad[0, 0] = torch.inf
            scaler.step(optimizer)
            scaler.update()
    history = looked.history
    assert history.steps == 4 and history.skipped == 1
    assert [point.loss for point in history.losses] == pytest.approx([expected.loss] * 4, rel=1e-5)
    alike(history.looks[0].chain, expected)
    assert history.looks[0].gradient_norm == pytest.approx(norms[0] / 1024, rel=1e-5)
    assert history.non_finite is None
    [skipping] = [finding for finding in looked.findings if finding.symptom == "non-finite"]
    assert skipping.severity == "note"


def test_a_fused_step_that_a_scaler_left_out_is_counted():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    scaler = GradScaler("cpu", init_scale=1024.0)
    with watch(model, optimizer, every=1) as looked:
        for number in range(4):
            optimizer.zero_grad()
            scaler.scale((model(x) - 1).square().mean()).backward()
            norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item() / 1024
            if number == 2:
                next(model.parameters()).grad[0, 0] = torch.inf
            scaler.step(optimizer)
            if number == 0:
                assert looked.history.looks[0].gradient_norm == pytest.approx(norm, rel=1e-4)
            scaler.update()
    assert looked.history.steps == 4 and looked.history.skipped == 1 and looked.notes == []


def test_another_scaled_optimizer_is_not_ours():
    model, other, x = small(), small(), torch.randn(12, 6)
    ours, theirs = (torch.optim.SGD(one.parameters(), 0.01) for one in (model, other))
    scaler = GradScaler("cpu")
    with watch(model, ours, every=1) as looked:
        for _ in range(3):
            theirs.zero_grad()
            scaler.scale(other(x).square().mean()).backward()
            scaler.step(theirs)
            scaler.update()
            step(model, ours, x)
    assert looked.history.steps == 3 and looked.history.skipped == 0
    assert len(looked.history.losses) == 3 and looked.notes == []


def test_adversaries_are_told_apart():
    """The discriminator's loss is none of the generator's, although the generator ran before it."""
    generator, judge = small(inputs=6), nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))
    ours = torch.optim.Adam(generator.parameters(), 1e-3)
    theirs = torch.optim.Adam(judge.parameters(), 1e-3)
    losses = []
    with watch(generator, ours, every=1) as first, watch(judge, theirs, every=1) as second:
        for _ in range(4):
            noise = torch.randn(12, 6)
            theirs.zero_grad()
            (judge(torch.randn(12, 1)).square().mean() + judge(generator(noise).detach()).square().mean()).backward()
            theirs.step()
            ours.zero_grad()
            loss = 7 + judge(generator(noise)).square().mean()
            loss.backward()
            ours.step()
            losses.append(float(loss.detach()))
    assert [point.loss for point in first.history.losses] == pytest.approx(losses, rel=1e-5)
    assert first.notes == second.notes == []
    # In the steps that count the generator ran twice, and the second pass is the one that was differentiated.
    assert [link.name for link in first.chain.links] == ["0#2", "2#2", "4#2", "6#2"]
    assert second.chain is not None and len(second.history.looks) == 4


class Pair(nn.Module):
    """Two networks in one module that is never called itself."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = small(), small()


def test_parts_of_a_model_that_is_not_called():
    model, x = Pair(), torch.randn(12, 6)
    optimizers = [torch.optim.SGD(part.parameters(), 0.01) for part in (model.left, model.right)]
    with watch(model, optimizers, every=1) as looked:
        for _ in range(3):
            for part, optimizer in zip((model.left, model.right), optimizers, strict=True):
                step(part, optimizer, x)
    looks = looked.history.looks
    assert [look.step for look in looks] == [1, 2, 3] and looked.history.steps == 3
    assert len(looks[0].parameters) == len(list(model.parameters())) and looks[0].chain is None
    assert len(looked.notes) == 1 and "not called" in looked.notes[0]


def test_parameter_groups_in_two_optimizers():
    model, x = small(), torch.randn(12, 6)
    optimizers = [torch.optim.SGD(model[:3].parameters(), 0.01), torch.optim.Adam(model[3:].parameters(), 0.02)]
    with watch(model, optimizers, every=2) as looked:
        for _ in range(4):
            for optimizer in optimizers:
                optimizer.zero_grad()
            (model(x) - 1).square().mean().backward()
            for optimizer in optimizers:
                optimizer.step()
    looks = looked.history.looks
    assert [look.step for look in looks] == [1, 2, 4] and looked.history.steps == 4
    assert all(len(look.parameters) == len(list(model.parameters())) for look in looks)
    assert looks[0].rate == 0.02 and looks[0].chain is not None and looked.history.outside == ()


def test_a_second_optimizer_that_seldom_steps_does_not_hold_up_looks():
    model, x = small(), torch.randn(12, 6)
    often, seldom = torch.optim.SGD(model[:3].parameters(), 0.01), torch.optim.SGD(model[3:].parameters(), 0.01)
    with watch(model, [often, seldom], every=1) as looked:
        for number in range(6):
            step(model, often, x)
            if number == 4:
                seldom.step()
    assert [look.step for look in looked.history.looks] == [1, 2, 3, 4, 5]
