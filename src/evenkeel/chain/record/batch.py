"""How a model is called, and how its inputs and outputs become marked places in the autograd graph.

Inputs: a tensor -> `model(x)`, a tuple -> `model(*x)`, a mapping -> `model(**x)`. With `loss=None` the whole batch is
the input and the output carries `.loss`, as transformers' models do.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from evenkeel.errors import DataError, RequestError, TrainingError

LossFunction = Callable[[Any, Any], Tensor]


def split_batch(batch: Any, loss: LossFunction | None) -> tuple[Any, Any]:
    """Inputs and target of a batch; with `loss=None` everything is input."""
    if loss is None:
        return batch, None
    if isinstance(batch, (tuple, list)) and len(batch) == 2:
        return batch[0], batch[1]
    came = f"{type(batch).__name__} of {len(batch)}" if hasattr(batch, "__len__") else type(batch).__name__
    raise DataError(
        f"a batch must be (inputs, target), got {came}; group several inputs in a tuple, or pass loss=None if the "
        f"model computes its own loss"
    )


def call_model(model: nn.Module, inputs: Any) -> Any:
    """Call a model by the convention above."""
    if isinstance(inputs, Mapping):
        return model(**inputs)
    if isinstance(inputs, tuple):
        return model(*inputs)
    return model(inputs)


def call_loss(loss: LossFunction | None, output: Any, target: Any) -> Tensor:
    """The loss as one number with a graph behind it; an error that says what came otherwise."""
    if loss is not None:
        value = loss(output, target)
    else:
        value = output if isinstance(output, Tensor) else _field(output, "loss")
        if value is None:
            raise RequestError(
                f"with loss=None the model's output must carry .loss, got {type(output).__name__} without one; pass "
                f"loss=..., or include the labels in the batch"
            )
    if not isinstance(value, Tensor) or value.numel() != 1:
        came = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise RequestError(f"the loss must return one number, got {came}; reduce it with .mean()")
    if not value.requires_grad:
        raise TrainingError(
            "the loss does not depend on anything that takes a gradient: is every parameter frozen, or is the output "
            "detached (no_grad, .detach(), .item())?"
        )
    return value


def input_leaves(inputs: Any, leaves: list[Tensor], entries: list[Any]) -> Any:
    """The inputs with every floating tensor replaced by a copy that takes a gradient; fills `leaves` and `entries`
    (the graph nodes of the copies).

    The model gets the copy of a leaf, not the leaf, so that it may work in place while the caller's data stay
    as they are.
    """

    def entry(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point() or tensor.layout != torch.strided:
            return tensor
        leaf = usable(tensor).detach().requires_grad_()
        leaves.append(leaf)
        copied = leaf.clone()
        entries.append(copied.grad_fn)
        return copied

    return map_tensors(inputs, entry)


def usable(tensor: Tensor) -> Tensor:
    """The tensor itself, or a copy where it was made in inference mode and cannot take part in a graph."""
    return tensor.clone() if tensor.is_inference() else tensor


def map_tensors(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Apply a function to every tensor in nested tuples, lists, mappings and dataclasses; all else stays."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, tuple):
        changed = [map_tensors(item, change) for item in value]
        return type(value)(*changed) if hasattr(value, "_fields") else tuple(changed)
    if isinstance(value, list):
        return [map_tensors(item, change) for item in value]
    if isinstance(value, Mapping):
        return _map_mapping(value, change)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: map_tensors(getattr(value, f.name), change) for f in dataclasses.fields(value) if f.init}
        return dataclasses.replace(value, **fields)
    return value


def tensors_in(value: Any, depth: int = 4) -> Iterator[Tensor]:
    """Every tensor in a nested value, also in the attributes of an object such as a graph batch."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors_in(item, depth)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors_in(item, depth)
    elif depth and hasattr(value, "to_dict"):
        yield from tensors_in(value.to_dict(), depth - 1)
    elif depth and hasattr(value, "__dict__") and not isinstance(value, (type, nn.Module)):
        yield from tensors_in(vars(value), depth - 1)


def batch_length(inputs: Any, model: nn.Module | None = None) -> int | None:
    """How many examples the inputs hold: the length of the first tensor's first axis.

    A model whose examples are joined end to end (the nodes of some graphs, the words of some texts) may count them
    itself, by a method `count_examples(inputs)` that takes its named inputs.
    """
    count = getattr(model, "count_examples", None)
    if count is not None and isinstance(inputs, Mapping):
        return count(inputs)
    first = next((tensor for tensor in tensors_in(inputs) if tensor.ndim > 0), None)
    return None if first is None else first.shape[0]


def examples_called(arguments: tuple[tuple[Any, ...], Mapping[str, Any]], model: nn.Module) -> int | None:
    """How many examples a call of the model is given, by its positional and named arguments."""
    return batch_length(arguments if arguments[0] else arguments[1], model)


def predicted(output: Any) -> Any:
    """What counts as y where the model computes its own loss: its `logits`, else what else it carries, else nothing."""
    return _field(output, "logits")


def _map_mapping(value: Mapping[Any, Any], change: Callable[[Tensor], Tensor]) -> Any:
    changed = {key: map_tensors(item, change) for key, item in value.items()}
    if type(value) is dict:
        return changed
    try:
        twin: Any = copy.copy(value)  # an output class with attributes, as transformers' are
        for key, item in changed.items():
            twin[key] = item
    except TypeError:
        return changed
    return twin


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
