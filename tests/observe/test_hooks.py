import pytest
import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler

from evenkeel.observe.hooks import installed
from observe._loops import small


class Listener:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.losses: list[tuple[float, float, float | None]] = []
        self.counting = False

    def forward_counted(self, model, positional, named):
        self.told.append("glimpsed")

    def backward_counted(self, loss):
        self.told.append("counted")

    def forward_begins(self, model, positional, named):
        self.told.append(f"forward {len(positional)} {sorted(named)}")

    def forward_ends(self, model, output):
        self.told.append("returned" if output is not None else "raised")

    def backward_begins(self, loss, original, unit):
        self.told.append("backward")
        self.losses.append((float(loss.detach()), float(original.detach()), None if unit is None else float(unit)))

    def backward_ends(self):
        self.told.append("gradients")

    def backward_fails(self):
        self.told.append("failed")

    def step_begins(self, optimizer):
        self.told.append("step")

    def step_ends(self, optimizer):
        self.told.append("stepped")

    def scaler_stepped(self, optimizer):
        self.told.append("scaler")


@pytest.fixture
def loop():
    model = small()
    return model, torch.optim.SGD(model.parameters(), 0.1), Listener()


STEP = ["forward 1 []", "returned", "backward", "gradients", "step", "stepped"]


def test_a_step_in_order(loop):
    model, optimizer, listener = loop
    with installed(model, [optimizer], listener):
        model(torch.randn(4, 6)).mean().backward()
        optimizer.step()
    assert listener.told == STEP
    model(torch.randn(4, 6)).mean().backward()
    optimizer.step()
    assert listener.told == STEP


def test_a_step_that_is_only_counted(loop):
    model, optimizer, listener = loop
    listener.counting = True
    with installed(model, [optimizer], listener):
        model(torch.randn(4, 6)).mean().backward()
        optimizer.step()
    assert listener.told == ["glimpsed", "counted", "stepped"]


def test_passes_without_gradients_are_not_told(loop):
    model, optimizer, listener = loop
    with installed(model, [optimizer], listener), torch.no_grad():
        model(torch.randn(4, 6))
    assert listener.told == []


def test_a_backward_of_several_numbers_is_not_told(loop):
    model, optimizer, listener = loop
    with installed(model, [optimizer], listener):
        output = model(torch.randn(4, 6))
        output.backward(torch.ones_like(output))
    assert listener.told == STEP[:2]


def test_autograd_backward_is_told_too(loop):
    model, optimizer, listener = loop
    with installed(model, [optimizer], listener):
        torch.autograd.backward([model(torch.randn(4, 6)).mean()])
    assert listener.told == STEP[:4]


def test_a_backward_inside_a_backward_passes_through(loop):
    model, optimizer, listener = loop

    class Again(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, gradient):
            with torch.enable_grad():
                one = torch.ones((), requires_grad=True)
                (one * 2).backward()
            return gradient

    with installed(model, [optimizer], listener):
        Again.apply(model(torch.randn(4, 6))).mean().backward()
    assert listener.told == STEP[:4]


def test_what_raises_is_told_and_passes_on(loop):
    model, optimizer, listener = loop
    with installed(model, [optimizer], listener):
        with pytest.raises(RuntimeError):
            model(torch.randn(4, 5))
        output = model(torch.randn(4, 6))
        output.register_hook(lambda gradient: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            output.mean().backward()
    assert listener.told == ["forward 1 []", "raised", "forward 1 []", "returned", "backward", "failed"]


@pytest.mark.parametrize("enabled", [True, False])
def test_a_scaler(loop, enabled):
    model, optimizer, listener = loop
    scaler = GradScaler("cpu", init_scale=64.0, enabled=enabled)
    with installed(model, [optimizer], listener):
        for broken in (False, True):
            optimizer.zero_grad()
            scaler.scale((model(torch.randn(4, 6)) - 1).square().mean()).backward()
            if broken:
                next(model.parameters()).grad[0, 0] = torch.inf
            scaler.step(optimizer)
            scaler.update()
    left_out = [] if enabled else STEP[4:]
    assert listener.told == [*STEP, "scaler", *STEP[:4], *left_out, "scaler"]
    for scaled, original, unit in listener.losses:
        assert unit == (64.0 if enabled else None)
        assert scaled == pytest.approx(original * (unit or 1.0))


def test_several_optimizers_and_named_arguments():
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, first, *, second):
            return self.layer(first + second)

    model, listener = Named(), Listener()
    optimizers = [torch.optim.SGD([one], 0.1) for one in model.parameters()]
    with installed(model, optimizers, listener):
        model(torch.randn(3, 2), second=torch.randn(3, 2)).mean().backward()
        for optimizer in optimizers:
            optimizer.step()
    assert listener.told == ["forward 1 ['second']", *STEP[1:4], *STEP[4:], *STEP[4:]]


def test_nested_in_another_listener(loop):
    model, optimizer, listener = loop
    outer = Listener()
    original = torch.autograd.backward
    with installed(model, [optimizer], outer):
        with installed(model, [optimizer], listener):
            model(torch.randn(4, 6)).mean().backward()
        model(torch.randn(4, 6)).mean().backward()
    assert listener.told == STEP[:4] and len(outer.told) == 8
    assert torch.autograd.backward is original
