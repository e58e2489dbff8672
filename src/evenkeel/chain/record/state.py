"""Leave nothing behind: everything a trace could change about a model is put back, also when the model raises.

Put back are: random number generators (torch's, the model's GPUs', Python's, NumPy's, and those that modules hold),
buffers, `.grad` fields, train mode, whatever the forward pass stored on modules (attributes, lists, layers that it
built on the way), and every tensor from before that it wrote to.
"""

from __future__ import annotations

import copy
import random
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils import checkpoint

from evenkeel.chain.record.overwritten import Overwritten

NESTING = 3
"""Containers inside containers on a module are looked after so deep."""


@contextmanager
def undisturbed(*modules: object) -> Iterator[Overwritten]:
    """Whatever happens inside, the modules and the random state are afterwards as they were before.

    Yields where to keep tensors from before that are about to be written to. What is no module is left alone.

    Example:
        >>> model = nn.BatchNorm1d(3)
        >>> with undisturbed(model):
        ...     _ = model(torch.randn(8, 3))
        >>> model.num_batches_tracked.item()
        0
    """
    inside = {id(one): one for subject in modules if isinstance(subject, nn.Module) for one in subject.modules()}
    tensors = {id(tensor): tensor for module in inside.values() for tensor in _own(module)}
    overwritten = Overwritten()
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=_gpus(tensors.values())))
        stack.callback(random.setstate, random.getstate())
        stack.callback(np.random.set_state, np.random.get_state())
        _protect_contents(inside.values(), stack)
        _protect_tensors(tensors.values(), stack, overwritten)
        stack.callback(overwritten.restore)
        yield overwritten


def _own(module: nn.Module) -> list[Tensor]:
    """A module's own parameters and buffers."""
    fields = (*module._parameters.values(), *module._buffers.values())
    return [tensor for tensor in fields if tensor is not None]


def _protect_contents(modules: Iterable[nn.Module], stack: ExitStack) -> None:
    contents: list[_Content] = []
    generators: list[torch.Generator] = []
    for module in modules:
        _collect(vars(module), contents, generators, NESTING)
    stack.callback(_restore_contents, contents)
    stack.callback(_restore_generators, [(one, one.get_state()) for one in generators])


def _protect_tensors(tensors: Iterable[Tensor], stack: ExitStack, overwritten: Overwritten) -> None:
    parameters = [tensor for tensor in tensors if isinstance(tensor, nn.Parameter)]
    overwritten.keep(tensor for tensor in tensors if not isinstance(tensor, nn.Parameter) and not is_lazy(tensor))
    stack.callback(_restore_gradients, [(parameter, parameter.grad) for parameter in parameters])
    for parameter in parameters:
        parameter.grad = None


@contextmanager
def eager() -> Iterator[None]:
    """Run compiled models and functions as plain Python, and reentrant checkpoints as plain calls.

    Hooks never see the inside of a compiled region or of a reentrant checkpoint; the weights and the sums are the same.
    Under autocast, casts of weights from before are forgotten: they were made out of sight.
    """
    original = checkpoint.CheckpointFunction
    checkpoint.CheckpointFunction = _PlainCheckpoint  # type: ignore[misc,assignment]
    torch.clear_autocast_cache()
    try:
        with torch.compiler.set_stance("force_eager"):
            yield
    finally:
        torch.clear_autocast_cache()
        checkpoint.CheckpointFunction = original  # type: ignore[misc]


def materialised(model: nn.Module) -> nn.Module:
    """The model itself, or a copy where it has layers that are built at their first call (their class would change)."""
    lazy = any(is_lazy(tensor) for module in model.modules() for tensor in _own(module))
    return copy.deepcopy(model) if lazy else model


class _PlainCheckpoint:
    """Stands in for the reentrant checkpoint: the same values, but the graph inside stays visible."""

    @staticmethod
    def apply(function: Callable[..., Any], preserve_rng_state: bool, *arguments: Any) -> Any:
        """Call the function; as in the original, nothing is differentiated where no argument asks for it."""
        wanted = any(isinstance(value, Tensor) and value.requires_grad for value in arguments)
        with torch.set_grad_enabled(wanted and torch.is_grad_enabled()):
            return function(*arguments)


_Content = tuple[Any, list[Any]]
"""A container and its members (a mapping: its items) as they were."""
_CONTAINERS = frozenset([dict, OrderedDict, defaultdict, list, set, deque])
_NOTHING: list[Any] = []


def _collect(container: Any, into: list[_Content], generators: list[torch.Generator], depth: int) -> None:
    """File a container's members, those of the containers in it, and the random generators."""
    mapping = isinstance(container, dict)
    into.append((container, list(container.items() if mapping else container)))
    for value in container.values() if mapping else container:
        kind = type(value)
        if kind is torch.Generator:
            generators.append(value)
        elif kind in _CONTAINERS and depth:
            if value:
                _collect(value, into, generators, depth - 1)
            else:
                into.append((value, _NOTHING))


def _restore_contents(contents: list[_Content]) -> None:
    for container, members in contents:
        if not members and not container:
            continue
        if isinstance(container, dict):
            if not _same_items(container, members):
                container.clear()
                container.update(members)
        elif not _same(list(container), members):
            container.clear()
            (container.update if isinstance(container, set) else container.extend)(members)


def _same_items(mapping: dict[Any, Any], members: list[Any]) -> bool:
    """Compared by identity, as tensors inside have no truth value."""
    return len(mapping) == len(members) and all(
        key is before and value is kept for (key, value), (before, kept) in zip(mapping.items(), members, strict=True)
    )


def _same(now: list[Any], before: list[Any]) -> bool:
    return len(now) == len(before) and all(one is other for one, other in zip(now, before, strict=True))


def _restore_generators(saved: list[tuple[torch.Generator, Tensor]]) -> None:
    for generator, state in saved:
        generator.set_state(state)


def _restore_gradients(saved: list[tuple[Tensor, Tensor | None]]) -> None:
    for parameter, gradient in saved:
        parameter.grad = gradient


def _gpus(tensors: Iterable[Tensor]) -> list[int]:
    return sorted({tensor.device.index or 0 for tensor in tensors if tensor.is_cuda})
