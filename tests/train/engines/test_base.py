"""Every engine gives what autograd gives, to the last bit, step after step."""

import copy

import pytest
import torch

from _small import small_dataset, small_network
from evenkeel.train.engines import PARTS
from evenkeel.train.engines.eager import Eager
from evenkeel.train.engines.tape import same_numbers

TASK = "regression"


def batches(data, count):
    rows = [slice(10 * index, 10 * index + 32) for index in range(count)]
    return [
        ({name: value[part].contiguous() for name, value in data.inputs.items()}, data.target[part]) for part in rows
    ]


@pytest.mark.parametrize("name", PARTS)
def test_loss_and_gradients_are_those_of_autograd(name):
    data = small_dataset(TASK)
    network = small_network(TASK, data, dropout=0.2).train()
    twin = copy.deepcopy(network)
    parameters, others = list(network.parameters()), list(twin.parameters())
    if not PARTS[name].fits(network, parameters, "fixed"):
        pytest.skip("an engine for other machines")
    engine, plain = PARTS[name].call(network, parameters), Eager(twin, others)
    for number, (inputs, target) in enumerate(batches(data, 6)):
        torch.manual_seed(number)
        loss, gradients = engine(inputs, target, None)
        torch.manual_seed(number)
        expected, other_gradients = plain(inputs, target)
        assert torch.equal(loss, expected) and same_numbers(gradients, other_gradients) and loss.grad_fn is None
        network.zero_grad(), twin.zero_grad()
