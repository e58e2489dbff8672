import copy

import pytest
import torch
from torch import nn

from _small import TARGETS, same, small_dataset, small_network, small_plan
from evenkeel.heads import Value
from evenkeel.kinds.table.flat import FlatInputs
from evenkeel.network import Network
from evenkeel.train.engines.tape import MOST_TAPES, Taped, same_numbers, transparent
from evenkeel.train.optimizers import build_optimizer
from evenkeel.train.step import TrainingStep

TASK = "regression"
OPTIONS = {
    "residual members with dropout and pieces": {"dropout": 0.3},
    "one network": {"members": None, "dropout": 0.1},
    "batch norm": {"norm": "batch"},
    "layer norm, gelu": {"norm": "layer", "activation": "gelu"},
    "plain layers": {"skip": "plain", "bins": None, "members": None, "dropout": 0.0},
}


def batch(data, start, size=32):
    rows = slice(start, start + size)
    weight = None if data.weight is None else data.weight[rows]
    return {name: value[rows].contiguous() for name, value in data.inputs.items()}, data.target[rows], weight


def step_of(network, task=TASK, **settings):
    return TrainingStep(network, build_optimizer(network, small_plan(task, **settings)), 0.5)


def by_autograd(step):
    """The same step, which never uses a tape."""
    step.engine = step.eager
    return step


def run(step, batches):
    """Steps from one random state: what they measured, and the random state after."""
    torch.manual_seed(5)
    results = [step(*one) for one in batches]
    return [(r.loss, r.gradient_norm, r.skipped) for r in results], torch.get_rng_state()


def taped(step):
    """How many tapes are in use."""
    return len(step.engine._proved) if isinstance(step.engine, Taped) and step.engine._usable else 0


@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("name", OPTIONS)
def test_training_by_tape_is_training_by_autograd_to_the_last_bit(task, name):
    weights = [1.0 + index % 3 for index in range(240)] if name == "one network" else None
    data, settings = small_dataset(task, weight=weights), OPTIONS[name]
    network = small_network(task, data, **settings).train()
    twin = copy.deepcopy(network)
    batches = [batch(data, 10 * index) for index in range(8)]
    step, plain = step_of(network, task, **settings), by_autograd(step_of(twin, task, **settings))
    (found, random), (expected, random_expected) = run(step, batches), run(plain, batches)
    assert taped(step) == 1 and taped(plain) == 0
    assert found == expected and torch.equal(random, random_expected)
    assert same(network.state_dict(), twin.state_dict())
    states = [one.optimizer.state_dict()["state"] for one in (step, plain)]
    assert all(same(states[0][index], states[1][index]) for index in states[1])


def test_each_shape_has_its_own_tape_and_too_many_have_none():
    data = small_dataset(TASK)
    network = small_network(TASK, data).train()
    twin = copy.deepcopy(network)
    step, plain = step_of(network), by_autograd(step_of(twin))
    batches = [batch(data, index, 20 + index % (MOST_TAPES + 2)) for index in range(4 * (MOST_TAPES + 2))]
    assert run(step, batches)[0] == run(plain, batches)[0]
    assert taped(step) == MOST_TAPES and same(network.state_dict(), twin.state_dict())


def test_a_hook_sees_every_step_and_changes_nothing():
    data = small_dataset(TASK)
    network = small_network(TASK, data, dropout=0.2).train()
    twin, seen = copy.deepcopy(network), []
    step, plain = step_of(network), by_autograd(step_of(twin))
    batches = [batch(data, 10 * index) for index in range(12)]
    first = run(step, batches[:4])[0]
    assert taped(step) == 1
    hook = network.net.register_forward_hook(lambda module, inputs, output: seen.append(output.requires_grad))
    watched = run(step, batches[4:8])[0]
    hook.remove()
    last = run(step, batches[8:])[0]
    assert seen == [True] * 4
    expected = [run(plain, part)[0] for part in (batches[:4], batches[4:8], batches[8:])]
    assert [first, watched, last] == expected and same(network.state_dict(), twin.state_dict())


@pytest.mark.parametrize("kind", ["tensor", "accumulated", "global"])
def test_every_kind_of_hook_asks_for_autograd(kind):
    data, seen = small_dataset(TASK), []
    network = small_network(TASK, data).train()
    step = step_of(network)
    run(step, [batch(data, 0)] * 4)
    assert taped(step) == 1
    weight = network.head.linear.weight
    if kind == "tensor":
        hook = weight.register_hook(lambda gradient: seen.append(1))
    elif kind == "accumulated":
        hook = weight.register_post_accumulate_grad_hook(lambda parameter: seen.append(1))
    else:
        hook = nn.modules.module.register_module_forward_pre_hook(
            lambda module, inputs: seen.append(1) if module is network else None
        )
    step(*batch(data, 0))
    hook.remove()
    step(*batch(data, 0))
    assert seen == [1]


def test_the_graph_is_there_for_whoever_asks():
    data, seen = small_dataset(TASK), []
    network = small_network(TASK, data, dropout=0.0).train()
    twin = copy.deepcopy(network)
    step, plain = step_of(network), by_autograd(step_of(twin))

    def backward(loss):
        seen.append(loss.grad_fn is not None)
        loss.backward(retain_graph=True)
        seen.append(torch.autograd.grad(loss, network.head.linear.bias)[0].shape)

    for index in range(6):
        step(*batch(data, 10 * index), **({"backward": backward} if index == 4 else {}))
        plain(*batch(data, 10 * index))
    assert seen == [True, (2, 1)] and taped(step) == 1
    assert same(network.state_dict(), twin.state_dict())


def test_freezing_a_layer_later_is_noticed():
    data = small_dataset(TASK)
    network = small_network(TASK, data).train()
    step = step_of(network)
    run(step, [batch(data, 0)] * 4)
    network.head.linear.weight.requires_grad_(False)
    before = network.head.linear.weight.clone()
    run(step, [batch(data, 0)] * 4)
    assert torch.equal(network.head.linear.weight, before) and taped(step) == 2


class Own(nn.Module):
    """A net of one's own, whose scale follows the number of calls: no tape can know that."""

    def __init__(self):
        super().__init__()
        self.linear, self.calls = nn.Linear(7, 4), 0

    def forward(self, x):
        self.calls += 1
        return self.linear(x) * self.calls


def own_network(data, net):
    head = Value(4)
    head.start(data.target)
    return Network(FlatInputs(net, data.schema.levels), head).train()


def test_a_net_of_ones_own_is_never_taped():
    data, net = small_dataset(TASK), Own()
    net.linear = nn.Linear(len(data.inputs["numbers"][0]) * 2 + sum(data.schema.levels), 4)
    network = own_network(data, net)
    step = step_of(network)
    run(step, [batch(data, 0)] * 5)
    assert not transparent(network) and taped(step) == 0 and net.calls == 5
    network = own_network(data, nn.Sequential(net.linear, nn.ReLU()))
    assert transparent(network)
    network.net.net[1].forward = lambda x: x
    assert not transparent(network), "a forward put over the class's own"


def test_a_loss_of_ones_own_is_never_taped():
    network = small_network(TASK)
    assert transparent(network)
    network.head.loss_name = None
    assert not transparent(network)


@pytest.mark.parametrize("kind", ["counts its calls", "reads a value"])
def test_what_slips_through_is_found_out_before_it_is_used(monkeypatch, kind):
    """Even where a module seems to be one of ours: the recording fails, or the proof does."""
    data = small_dataset(TASK)
    net = Own()
    net.linear = nn.Linear(len(data.inputs["numbers"][0]) * 2 + sum(data.schema.levels), 4)
    monkeypatch.setattr(Own, "__module__", "evenkeel.nets.own")
    if kind == "reads a value":
        monkeypatch.setattr(Own, "forward", lambda self, x: self.linear(x) * float(x.abs().max()))
    network = own_network(data, net)
    twin = copy.deepcopy(network)
    step, plain = step_of(network), by_autograd(step_of(twin))
    batches = [batch(data, 10 * index) for index in range(5)]
    for one in batches:
        step(*one)
        plain(*one)
    assert taped(step) == 0 and not step.engine._usable
    assert same(network.state_dict(), twin.state_dict())


def test_same_numbers():
    ones, nan = torch.ones(2), torch.full((2,), torch.nan)
    assert same_numbers([ones, None, nan], [ones.clone(), None, nan.clone()])
    for other in ([ones, None], [ones + 1e-7, None, nan], [ones, ones, nan], [torch.ones(1), None, nan]):
        assert not same_numbers([ones, None, nan], other)


def test_gradients_are_those_of_the_parameters_asked_for():
    data = small_dataset(TASK)
    network = small_network(TASK, data, dropout=0.0).train()
    asked = [network.head.linear.bias, network.head.linear.weight]
    found = Taped(network, asked)
    for _ in range(4):
        loss, gradients = found(*batch(data, 0)[:2])
        expected = torch.autograd.grad(network.loss(*batch(data, 0)[:2]), asked)
        assert same_numbers(gradients, expected) and loss.grad_fn is None
        network.zero_grad()
