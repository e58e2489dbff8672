"""Leave nothing behind: everything a trace could change about a model is put back, also when the model raises.

Put back are: random number generators (CPU and the model's GPUs), buffers, `.grad` fields, train mode, and whatever the
model's forward stored on its modules (attributes, lists, layers that it built on the way).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils import checkpoint


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Whatever happens inside, the model and the random state are afterwards as they were before.

    Example:
        >>> model = nn.BatchNorm1d(3)
        >>> with undisturbed(model):
        ...     _ = model(torch.randn(8, 3))
        >>> model.num_batches_tracked.item()
        0
    """
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=_gpus(model)))
        stack.callback(_restore_modules, [(module, _attributes(module)) for module in model.modules()])
        stack.callback(_restore_buffers, [(buffer, buffer.detach().clone()) for buffer in model.buffers()])
        stack.callback(_restore_gradients, [(parameter, parameter.grad) for parameter in model.parameters()])
        for parameter in model.parameters():
            parameter.grad = None
        yield


@contextmanager
def eager() -> Iterator[None]:
    """Run compiled models and functions as plain Python, and reentrant checkpoints as plain calls.

    Hooks never see the inside of a compiled region or of a reentrant checkpoint; the weights and the sums are the same.
    """
    original = checkpoint.CheckpointFunction
    checkpoint.CheckpointFunction = _PlainCheckpoint  # type: ignore[misc,assignment]
    try:
        with torch.compiler.set_stance("force_eager"):
            yield
    finally:
        checkpoint.CheckpointFunction = original  # type: ignore[misc]


def materialised(model: nn.Module) -> nn.Module:
    """The model itself, or a copy where it has layers that are built at their first call (their class would change)."""
    lazy = any(is_lazy(tensor) for tensor in (*model.parameters(), *model.buffers()))
    return copy.deepcopy(model) if lazy else model


class _PlainCheckpoint:
    """Stands in for the reentrant checkpoint: the same values, but the graph inside stays visible."""

    @staticmethod
    def apply(function: Callable[..., Any], preserve_rng_state: bool, *arguments: Any) -> Any:
        """Call the function; as in the original, nothing is differentiated where no argument asks for it."""
        wanted = any(isinstance(value, Tensor) and value.requires_grad for value in arguments)
        with torch.set_grad_enabled(wanted and torch.is_grad_enabled()):
            return function(*arguments)


_Attributes = dict[str, tuple[Any, Any]]


def _attributes(module: nn.Module) -> _Attributes:
    """Each attribute with a shallow copy of its content where it is a container."""
    return {
        name: (value, copy.copy(value) if type(value) in (list, dict, set) else None)
        for name, value in vars(module).items()
    }


def _restore_modules(saved: list[tuple[nn.Module, _Attributes]]) -> None:
    for module, attributes in saved:
        fields = vars(module)
        for name in [name for name in fields if name not in attributes]:
            del fields[name]
        for name, (value, content) in attributes.items():
            if name not in fields or fields[name] is not value:
                fields[name] = value
            if content is not None:
                _refill(value, content)


def _refill(container: Any, content: Any) -> None:
    """Give a container its former content back; compared by identity, as tensors inside have no truth value."""
    if _members(container) == _members(content):
        return
    container.clear()
    if isinstance(container, list):
        container.extend(content)
    else:
        container.update(content)


def _members(container: Any) -> list[tuple[Any, int]]:
    if isinstance(container, dict):
        return [(key, id(value)) for key, value in container.items()]
    return [(None, id(value)) for value in container]


def _restore_buffers(saved: list[tuple[Tensor, Tensor]]) -> None:
    with torch.no_grad():
        for buffer, value in saved:
            buffer.copy_(value)


def _restore_gradients(saved: list[tuple[Tensor, Tensor | None]]) -> None:
    for parameter, gradient in saved:
        parameter.grad = gradient


def _gpus(model: nn.Module) -> list[int]:
    devices = {tensor.device for tensor in (*model.parameters(), *model.buffers()) if tensor.is_cuda}
    return sorted(device.index or 0 for device in devices)
