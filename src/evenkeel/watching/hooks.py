"""Learn what a training loop does without touching it: hooks on model and optimizers, a wrapper around backward.

Everything is taken away when the `with` block ends. The wrapper replaces `torch.autograd.backward`, which
`Tensor.backward` calls too; under a gradient scaler it also learns the factor that the loss was multiplied with.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer

UNIT = "evenkeel: the loss before a scaler multiplied it, and the factor"  # a key in an autograd node's metadata


class Listener(Protocol):
    """Who is told, in the order of a training step."""

    def forward_begins(self, positional: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """The model is called, with gradients on."""

    def forward_ends(self, output: Any) -> None:
        """It returned, or raised: then the output is None."""

    def backward_begins(self, loss: Tensor, original: Tensor, unit: Tensor | None) -> None:
        """One number is about to be differentiated: `original` times `unit` where a scaler multiplied it."""

    def backward_ends(self) -> None:
        """All gradients of that pass are there."""

    def step_begins(self, optimizer: Optimizer) -> None:
        """An optimizer is about to change the weights."""

    def step_ends(self, optimizer: Optimizer) -> None:
        """It has."""

    def scaler_stepped(self) -> None:
        """A gradient scaler was asked to step, and left the step out where no optimizer hook fired in between."""


@contextmanager
def installed(model: nn.Module, optimizers: Sequence[Optimizer], listener: Listener) -> Iterator[None]:
    """Tell the listener all of this while the block runs."""
    quiet: Any = torch.compiler.disable  # a compiled model must not try to compile us

    def before(module: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        if torch.is_grad_enabled():
            listener.forward_begins(positional, named)

    def after(module: nn.Module, positional: Any, output: Any) -> None:
        if torch.is_grad_enabled():
            listener.forward_ends(output)

    with ExitStack() as stack:
        handles = [
            model.register_forward_pre_hook(quiet(before), with_kwargs=True),
            model.register_forward_hook(quiet(after), always_call=True),
        ]
        for optimizer in optimizers:
            handles.append(optimizer.register_step_pre_hook(lambda one, *_: listener.step_begins(one)))
            handles.append(optimizer.register_step_post_hook(lambda one, *_: listener.step_ends(one)))
        for handle in handles:
            stack.callback(handle.remove)
        _wrap_scaler(listener, stack)
        _wrap_backward(listener, stack)
        yield


def _wrap_backward(listener: Listener, stack: ExitStack) -> None:
    """Stand in for `torch.autograd.backward`; a nested call (inside a checkpoint) passes through."""
    original = torch.autograd.backward
    inside = False

    @functools.wraps(original)
    def backward(tensors: Any, *arguments: Any, **named: Any) -> None:
        nonlocal inside
        given = tensors if isinstance(tensors, Tensor) else tensors[0] if len(tensors) == 1 else None
        if inside or given is None or given.numel() != 1:
            return original(tensors, *arguments, **named)
        inside = True
        try:
            plain, unit = getattr(given.grad_fn, "metadata", {}).get(UNIT, (given, None))
            listener.backward_begins(given, plain, unit)
            original(tensors, *arguments, **named)
            listener.backward_ends()
        finally:
            inside = False

    torch.autograd.backward = backward  # type: ignore[assignment]
    stack.callback(setattr, torch.autograd, "backward", original)


def _wrap_scaler(listener: Listener, stack: ExitStack) -> None:
    """Remember what each loss was multiplied with, and when a scaler is asked to step."""
    scale, step = GradScaler.scale, GradScaler.step

    @functools.wraps(scale)
    def scaled(self: GradScaler, outputs: Any) -> Any:
        found = scale(self, outputs)
        if isinstance(found, Tensor) and found.grad_fn is not None and self.is_enabled():
            found.grad_fn.metadata[UNIT] = (outputs, self._scale)  # type: ignore[attr-defined]
        return found

    @functools.wraps(step)
    def stepped(self: GradScaler, *arguments: Any, **named: Any) -> Any:
        found = step(self, *arguments, **named)
        listener.scaler_stepped()
        return found

    GradScaler.scale, GradScaler.step = scaled, stepped  # type: ignore[method-assign]
    stack.callback(setattr, GradScaler, "scale", scale)
    stack.callback(setattr, GradScaler, "step", step)
