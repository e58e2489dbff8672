import subprocess
import sys
import textwrap
from collections import deque

import pytest
import torch
from torch import nn
from torch.utils import checkpoint as module

from evenkeel.chain.record.state import eager, materialised, undisturbed


def test_random_state_buffers_gradients_and_mode_come_back():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5))
    model[0].weight.grad = gradient = torch.ones(3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.random.get_rng_state()
    with pytest.raises(KeyError), undisturbed(model):
        assert model[0].weight.grad is None
        model(torch.randn(8, 3))
        model.eval()
        model[0].running_mean = torch.full((3,), 7.0)
        model[0].weight.grad = torch.zeros(3)
        raise KeyError
    assert torch.equal(torch.random.get_rng_state(), state)
    assert model.training and model[0].training and model[0].weight.grad is gradient
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_what_forward_stored_is_gone_and_what_it_removed_is_back():
    model = nn.Linear(2, 2)
    model.history, model.names, model.kept = [1], {"a": 1}, "as it was"
    with undisturbed(model):
        model.history.append(torch.ones(3))
        model.names.clear()
        model.kept = "changed"
        model.late = nn.Linear(2, 2)
        del model.bias
    assert model.history == [1] and model.names == {"a": 1} and model.kept == "as it was"
    assert not hasattr(model, "late") and model.bias is not None
    assert [name for name, _ in model.named_parameters()] == ["weight", "bias"]


def test_reentrant_checkpoints_are_plain_calls_meanwhile():
    original = module.CheckpointFunction
    x = torch.ones(2, requires_grad=True)
    with eager():
        y = module.checkpoint(torch.exp, x, use_reentrant=True)
        z = module.checkpoint(torch.exp, x.detach(), use_reentrant=True)
    assert y.grad_fn.name() == "ExpBackward0" and not z.requires_grad
    assert module.CheckpointFunction is original
    with pytest.raises(KeyError), eager():
        raise KeyError
    assert module.CheckpointFunction is original


def test_lazy_models_are_copied_and_others_not():
    plain, lazy = nn.Linear(2, 2), nn.Sequential(nn.LazyLinear(2))
    assert materialised(plain) is plain
    assert materialised(lazy) is not lazy


def test_generators_that_modules_hold_come_back():
    model = nn.Linear(2, 2)
    model.generator, model.pool = torch.Generator().manual_seed(3), [torch.Generator().manual_seed(4)]
    before = model.generator.get_state(), model.pool[0].get_state()
    with undisturbed(model):
        torch.randn(3, generator=model.generator), torch.randn(3, generator=model.pool[0])
    assert torch.equal(model.generator.get_state(), before[0]) and torch.equal(model.pool[0].get_state(), before[1])


def test_python_and_numpy_draw_on_as_if_nothing_had_happened():
    """In a process of its own: the shape checks of these tests draw from Python's generator themselves."""
    code = """
        import random
        import numpy
        from torch import nn
        from evenkeel.chain.record.state import undisturbed
        before = random.getstate(), numpy.random.get_state()[1].tolist()
        with undisturbed(nn.Linear(2, 2)):
            random.random(), numpy.random.rand(2000)
        assert (random.getstate(), numpy.random.get_state()[1].tolist()) == before
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_containers_inside_containers_come_back():
    model = nn.Linear(2, 2)
    model.history, model.recent, model.tags = {"loss": [1]}, deque([1, 2], maxlen=2), {"a"}
    with undisturbed(model):
        model.history["loss"].append(torch.ones(3))
        model.recent.append(3)
        model.tags.add("b")
    assert model.history == {"loss": [1]} and list(model.recent) == [1, 2] and model.tags == {"a"}


def test_a_loss_with_a_state_is_looked_after_too_and_other_things_are_left_alone():
    loss = nn.Module()
    loss.register_buffer("centre", torch.zeros(2))
    with undisturbed(nn.Linear(2, 2), loss, print, None) as overwritten:
        loss.centre += 1
        outside = torch.ones(2)
        overwritten.keep([outside])
        outside.zero_()
    assert loss.centre.tolist() == [0.0, 0.0] and outside.tolist() == [1.0, 1.0]
