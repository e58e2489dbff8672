import gc

import pytest
import torch
from torch import nn

from evenkeel.chain.record.values import ModuleCall, Operation, Value, Weight, measure, summarise_values


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


def test_a_summary_asked_for_first_without_examples_is_taken_again_with_them():
    tensor = torch.randn(6, 4)
    value = Value(tensor, weak=False, kind="linear")
    assert value.summary(None).similarity is None
    assert value.summary(6).similarity is not None
    assert value.summary(None) is value.summary(6)


def test_weights_measured_together_are_as_each_alone():
    tensors = [torch.randn(3, 4) * 1e-25, torch.randn(5), torch.randn(2, 3).double(), torch.zeros(0, 3)]
    weights = [Weight(name=str(n), tensor=tensor, position=0) for n, tensor in enumerate(tensors)]
    measure(weights)
    for weight, tensor in zip(weights, tensors, strict=True):
        exact = tensor.double().square().mean().item() if tensor.numel() else 0.0
        assert weight.mean_square == pytest.approx(exact, rel=1e-6)
        assert Weight(name="", tensor=tensor, position=0).mean_square == pytest.approx(exact, rel=1e-6)


def test_values_summarised_together_are_as_each_alone():
    tensors = [torch.randn(6, 4), torch.randn(6, 4), torch.arange(3), torch.randn(6, 2, 2)]
    values = [Value(tensor, weak=False, kind="linear") for tensor in tensors]
    summarise_values([*values, values[0]], 6)
    for value, tensor in zip(values, tensors, strict=True):
        alone = Value(tensor, weak=False, kind="linear").summary(6)
        found = value.summary(6)
        assert (found is None) == (alone is None) == (not tensor.is_floating_point())
        assert found is None or found.norm.item() == pytest.approx(alone.norm.item(), rel=1e-6)
