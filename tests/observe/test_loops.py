"""Kinds of loops: accumulation, closures, validation in between, models called in parts or twice."""

import weakref

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from evenkeel.observe import watch
from observe._loops import small, step, watched


@pytest.fixture(autouse=True)
def nothing_compiled():
    """Where any function was compiled, models are replayed: these tests mean the live graph."""
    torch._dynamo.reset()


@pytest.mark.parametrize("cleared", [True, False])
def test_accumulation_is_one_look_a_step(cleared):
    model, parts = small(), torch.randn(4, 12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    seen = []
    with watch(model, optimizer, every=1) as looked:
        for _ in range(3):
            losses = []
            for part in parts:
                loss = (model(part) - 1).square().mean() / 4
                loss.backward()
                losses.append(float(loss.detach()))
            seen.append(sum(losses) / 4)
            gradient = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
            optimizer.step()
            if cleared:
                optimizer.zero_grad()
            assert looked.history.looks[-1].gradient_norm == pytest.approx(gradient, rel=1e-5)
    history = looked.history
    assert history.steps == 3 and [look.step for look in history.looks] == [1, 2, 3]
    assert [point.loss for point in history.losses] == pytest.approx(seen, rel=1e-5)
    carried = [look.carried for look in history.looks]
    assert carried[0] == 0
    assert all(one == 0 for one in carried) if cleared else all(one > 0.2 for one in carried[1:])
    assert ("accumulating-gradient" in {one.symptom for one in looked.findings}) is not cleared


def test_a_forgotten_zero_grad_is_found():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(6):
            (model(x) - 1).square().mean().backward()
            optimizer.step()
    assert "accumulating-gradient" in {finding.symptom for finding in looked.findings}


def test_validation_between_passes_is_no_step():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(3):
            optimizer.zero_grad()
            output = model(x)
            with torch.no_grad():
                model(torch.randn(30, 6))
            with torch.inference_mode():
                model(torch.randn(31, 6))
            (output - 1).square().mean().backward()
            optimizer.step()
            model.eval()
            model(torch.randn(50, 6)).mean().item()  # gradients on, and nobody differentiates
            model.train()
    assert looked.notes == [] and looked.history.steps == 3
    assert [len(look.chain.links) for look in looked.history.looks] == [4, 4, 4]


def test_passes_that_nobody_differentiates_are_let_go():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    outputs = []
    with watch(model, optimizer, every=1) as looked:
        for _ in range(40):
            outputs.append(weakref.ref(model(x)))
        alive = sum(one() is not None for one in outputs)
        step(model, optimizer, x)
    assert 0 < alive <= 16 and looked.chain is not None and looked.notes == []


def test_two_passes_before_one_backward():
    model, left, right = small(), torch.randn(12, 6), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(3):
            optimizer.zero_grad()
            loss = (model(left) - model(right)).square().mean()
            loss.backward()
            norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
            optimizer.step()
    assert looked.notes == [] and len(looked.history.looks) == 3
    assert looked.history.looks[-1].gradient_norm == pytest.approx(norm, rel=1e-5)
    assert looked.chain.output_gradient > 0


class Named(nn.Module):
    """Takes names, gives a mapping and a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(6, 8), nn.Linear(8, 1)

    def forward(self, *, given, scale=1.0, **more):
        features = self.body(given * scale).relu()
        return {"prediction": self.head(features), "rest": (features, [more["note"]])}


def test_mappings_and_names():
    model, x = Named(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(2):
            optimizer.zero_grad()
            model(given=x, note="n")["prediction"].square().mean().backward()
            optimizer.step()
    assert looked.notes == [] and [link.name for link in looked.chain.links] == ["body", "head"]


def test_a_closure_is_one_step():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4)
    firsts, calls = [], []

    with watch(model, optimizer, every=1) as looked:
        for _ in range(3):
            calls.clear()

            def closure():
                optimizer.zero_grad()
                loss = (model(x) - 1).square().mean()
                loss.backward()
                calls.append(float(loss.detach()))
                return loss

            optimizer.step(closure)
            firsts.append(calls[0])
    history = looked.history
    assert history.steps == 3 and len(calls) > 1 and looked.notes == []
    assert [point.loss for point in history.losses] == pytest.approx(firsts, rel=1e-5)
    assert all(look.chain is not None and look.gradient_norm for look in history.looks)
    assert all(row.update_rms and row.moved for row in history.looks[-1].parameters)


def test_a_loss_that_backward_is_not_called_on():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(3):
            loss = looked.loss((model(x) - 1).square().mean())
            for parameter, gradient in zip(
                model.parameters(), torch.autograd.grad(loss, list(model.parameters())), strict=True
            ):
                parameter.grad = gradient
            optimizer.step()
    assert len(looked.history.losses) == 3 and looked.history.steps == 3
    assert looked.history.looks[-1].gradient_norm > 0


def test_a_told_loss_is_not_counted_twice():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer) as looked:
        for _ in range(3):
            optimizer.zero_grad()
            loss = (model(x) - 1).square().mean()
            looked.loss(loss * 0 + 5)
            loss.backward()
            optimizer.step()
    assert [point.loss for point in looked.history.losses] == [5, 5, 5]


def test_steps_that_the_loop_asks_for():
    """A loop that asks (`due`, `looking`, `passed`) instead of being watched all the time."""
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    looked = watch(model, optimizer, every=3)
    for _ in range(7):
        if looked.due():
            with looked.looking():
                step(model, optimizer, x)
        else:
            looked.passed(step(model, optimizer, x))
    assert [look.step for look in looked.history.looks] == [1, 3, 6]
    assert looked.history.steps == 7 and len(looked.history.losses) == 7


def test_checkpointed_parts_run_once_more_unseen():
    from torch.utils.checkpoint import checkpoint

    class Frugal(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = small(), nn.Linear(1, 1)

        def forward(self, x):
            return self.head(checkpoint(self.body, x, use_reentrant=False))

    model = Frugal()
    looked = watched(model, 3, every=1)
    assert looked.notes == [] and looked.history.steps == 3 and looked.chain is not None


def test_a_frozen_model_under_autocast():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(2):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = F.mse_loss(model(x).float(), torch.ones(12, 1))
            loss.backward()
            optimizer.step()
    assert looked.notes == [] and len(looked.chain.links) == 4
