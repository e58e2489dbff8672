"""A trace leaves nothing behind: model, gradients, hooks, random states, and the caller's own tensors are as before."""

import copy
import gc

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.modules import module as module_hooks

from evenkeel.chain import trace

X, Y = torch.randn(16, 9, generator=torch.Generator().manual_seed(0)).split([8, 1], dim=1)


def perceptron():
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))


def test_tensors_of_the_caller_are_as_before_whatever_the_model_writes_to():
    class Writes(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.head = nn.Embedding(10, 8, max_norm=0.1), nn.Linear(8, 3)
            self.seen, self.hidden = torch.zeros(1), [nn.BatchNorm1d(8)]  # neither is registered

        def forward(self, ids, labels):
            self.seen += 1
            self.head.weight.data.clamp_(-0.01, 0.01)
            labels[labels == 0] = -100
            return {"loss": F.cross_entropy(self.head(self.hidden[0](self.embed(ids))), labels)}

    model, ids, labels = Writes(), torch.arange(9) % 5, torch.arange(9) % 3
    before = copy.deepcopy(model.state_dict())
    trace(model, None, {"ids": ids, "labels": labels})
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(labels, torch.arange(9) % 3) and model.seen.item() == 0
    assert model.hidden[0].running_mean.abs().sum() == 0 and model.hidden[0].num_batches_tracked == 0


def test_layers_that_a_model_builds_on_its_way_are_gone_afterwards():
    class Builder(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = None
            self.seen = []

        def forward(self, x):
            if self.layer is None:
                self.layer = nn.Linear(x.shape[1], 1)
            self.seen.append(x)
            self.calls = len(self.seen)
            return self.layer(x)

    model = Builder()
    assert len(trace(model, F.mse_loss, (X, Y)).links) == 1
    assert model.layer is None and model.seen == [] and not hasattr(model, "calls")
    assert not list(model.parameters())


def everything(model):
    """All that a trace could disturb, by value."""
    return copy.deepcopy(model.state_dict()), [
        p.grad.clone() if p.grad is not None else None for p in model.parameters()
    ]


@pytest.mark.parametrize("raises", [False, True])
def test_nothing_is_left_behind(raises):
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 1))
    F.mse_loss(model(X), Y).backward()
    weights, gradients = everything(model)
    held = [parameter.grad for parameter in model.parameters()]
    model[3].eval()
    state = torch.random.get_rng_state()
    hooks = (len(module_hooks._global_forward_hooks), len(module_hooks._global_forward_pre_hooks))

    def loss(output, target):
        if raises:
            raise ZeroDivisionError("as asked")
        return F.mse_loss(output, target)

    if raises:
        with pytest.raises(ZeroDivisionError, match="as asked"):
            trace(model, loss, (X, Y))
    else:
        trace(model, loss, (X, Y))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert all(
        p.grad is g and torch.equal(p.grad, v) for p, g, v in zip(model.parameters(), held, gradients, strict=True)
    )
    assert model[0].training and not model[3].training
    assert hooks == (len(module_hooks._global_forward_hooks), len(module_hooks._global_forward_pre_hooks))
    assert all(not m._forward_hooks and not m._backward_hooks and not m._forward_pre_hooks for m in model.modules())
    assert all(not p._backward_hooks for p in model.parameters())


def test_no_tensor_of_the_pass_outlives_it():
    model, x = perceptron(), torch.randn(997, 8)
    chain = trace(model, F.mse_loss, (x, torch.randn(997, 1)))
    gc.collect()
    alive = [thing for thing in gc.get_objects() if type(thing) is torch.Tensor and thing.shape[:1] == (997,)]
    assert len(alive) == 1 and alive[0] is x
    assert chain.batch == 997


def test_hooks_of_the_user_on_gradients_do_not_fire_the_optimizer():
    model, stepped = perceptron(), []
    for parameter in model.parameters():
        parameter.register_post_accumulate_grad_hook(stepped.append)
    trace(model, F.mse_loss, (X, Y))
    assert stepped == []


def test_the_same_trace_twice_is_the_same():
    model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 1))
    assert trace(model, F.mse_loss, (X, Y)) == trace(model, F.mse_loss, (X, Y))


def test_torch_keeps_no_mark_of_a_hook_that_is_gone():
    # Each mark that is left makes every later call of any module in the process slower.
    trace(perceptron(), F.mse_loss, (X, Y))
    assert not module_hooks._global_forward_hooks_with_kwargs
