"""Nothing of a watch is left behind, and nothing that goes wrong in it reaches the loop."""

import gc

import pytest
import torch
from torch.amp.grad_scaler import GradScaler
from torch.nn.modules import module as module_hooks

from evenkeel.finding import Finding
from evenkeel.observe import watch
from evenkeel.observe.watch import MOST_NOTES
from observe._loops import everything, same, small, step


@pytest.fixture(autouse=True)
def nothing_compiled():
    """Where any function was compiled, models are replayed: these tests mean the live graph."""
    torch._dynamo.reset()


def marks(model, optimizer):
    """Where a hook could be left."""
    hooks = {name: len(value) for name, value in vars(module_hooks).items() if name.startswith("_global") and value}
    inside = [
        len(getattr(module, name))
        for module in model.modules()
        for name in vars(module)
        if "hooks" in name and "state_dict" not in name
    ]
    leaves = [len(one._backward_hooks or {}) for one in model.parameters()]
    steps = [len(optimizer._optimizer_step_pre_hooks), len(optimizer._optimizer_step_post_hooks)]
    return hooks, sum(inside), leaves, steps, torch.autograd.backward, GradScaler.scale, GradScaler.step, gc.isenabled()


@pytest.mark.parametrize("where", ["never", "forward", "backward", "between", "callback"])
def test_everything_is_taken_away(where):
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    before = marks(model, optimizer)

    class Stopped(Exception):  # noqa: N818
        pass

    def stop(*given):
        raise Stopped

    def run():
        with watch(model, optimizer, every=1) as looked:
            step(model, optimizer, x)
            if where == "callback":
                looked.on_finding(stop)
                looked._findings = (Finding(symptom="overfitting", where="x", severity="note", sentence="."),)
                looked._report()
            if where == "forward":
                handle = model[2].register_forward_hook(stop)
                stack.append(handle)
                model(x)
            output = model(x)
            if where == "backward":
                output.register_hook(stop)
                output.mean().backward()
            if where == "between":
                output.mean().backward()
                stop()

    stack = []
    if where == "never":
        run()
    else:
        with pytest.raises(Stopped):
            run()
    for handle in stack:
        handle.remove()
    assert marks(model, optimizer) == before
    assert marks(model, optimizer)[4].__module__ == "torch.autograd"


def test_the_marks_would_show_a_hook():
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    before = marks(model, optimizer)
    with watch(model, optimizer, every=1):
        assert marks(model, optimizer) != before


def test_a_backward_that_raises_and_is_caught_does_not_end_the_watch():
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        output = model(x)
        output.register_hook(lambda gradient: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            output.mean().backward()
        for _ in range(3):
            step(model, optimizer, x)
    assert looked.history.steps == 3 and looked.chain is not None


def test_a_look_that_fails_is_noted_and_training_goes_on(monkeypatch):
    def broken(*given, **named):
        raise ValueError("no such thing\nmore")

    monkeypatch.setattr("evenkeel.chain.look.live.Measurement", broken)
    model, x = small(), torch.randn(12, 6)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, every=1) as looked:
        for _ in range(MOST_NOTES + 8):
            step(model, optimizer, x)
    assert looked.history.steps == MOST_NOTES + 8 and len(looked.notes) == MOST_NOTES
    assert looked.notes[-1] == f"step {MOST_NOTES + 8}: could not look: ValueError: no such thing"
    assert looked.chain is None


def test_what_goes_wrong_while_recording_does_not_reach_the_model(monkeypatch):
    monkeypatch.setattr("evenkeel.chain.record.recorder.Operation", lambda **named: 1 / 0)
    found = []
    for observed in (False, True):
        torch.manual_seed(0)
        model, x = small(), torch.randn(12, 6)
        optimizer = torch.optim.SGD(model.parameters(), 0.01)
        if observed:
            with watch(model, optimizer, every=1) as looked:
                step(model, optimizer, x)
            assert len(looked.notes) == 1 and "could not be recorded: division by zero" in looked.notes[0]
        else:
            step(model, optimizer, x)
        found.append(everything(model, optimizer))
    same(*found)
