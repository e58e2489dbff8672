import gc

import torch
from torch import nn

from evenkeel.chain.values import ModuleCall, Operation, Value, Weight


def test_a_value_is_held_until_it_is_frozen():
    x = torch.randn(3, 4, requires_grad=True)
    y = x * 2
    value, expected = Value(y, weak=False, kind="elementwise"), y.detach().norm().item()
    assert value.tensor is y and value.node is y.grad_fn and value.shape == (3, 4)
    value.freeze(3)
    node = y.grad_fn
    y.detach().zero_()
    del y
    assert value.tensor is None and value.node is node
    assert abs(value.summary(3).norm.item() - expected) < 1e-5
    value.freeze(3)  # again: nothing to do


def test_a_weak_value_does_not_keep_its_tensor():
    value = Value(torch.ones(2), weak=True, kind="view")
    gc.collect()
    assert value.tensor is None and value.summary(2) is None and value.node is None


def test_integers_have_no_summary():
    assert Value(torch.tensor([1, 2]), weak=False, kind="view").summary(2) is None


def test_names_of_calls_and_the_size_of_weights():
    layer = nn.Linear(2, 2)
    calls = [ModuleCall(path="cell", module=layer, number=number, leaf=True).name for number in (0, 1)]
    assert calls == ["cell", "cell#2"]
    assert Weight(name="w", tensor=torch.tensor([3.0, 4.0]), position=0).mean_square == 12.5
    assert Weight(name="w", tensor=torch.empty(0), position=0).mean_square == 0.0


def test_an_operation_lets_go_of_everything_but_weights():
    weight = Weight(name="w", tensor=torch.ones(1), position=1)
    value = Value(torch.ones(2), weak=False, kind="linear")
    operation = Operation(
        name="mm",
        kind="linear",
        function=None,
        arguments=(),
        call=None,
        phase="model",
        weights=[weight],
        outputs=[value],
    )
    operation.release()
    assert operation.outputs == [] and operation.weights == [weight]
