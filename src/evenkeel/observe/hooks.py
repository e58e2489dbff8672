"""Learn what a training loop does without touching it: hooks on model and optimizers, a wrapper around backward.

Everything is taken away when the `with` block ends. The wrapper replaces `torch.autograd.backward`, which
`Tensor.backward` calls too; under a gradient scaler it also learns the factor that the loss was multiplied with.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from evenkeel.observe.events import Listener
from evenkeel.observe.subject import holds

UNIT = "evenkeel: the loss before a scaler multiplied it, and the factor"  # a key in an autograd node's metadata


@contextmanager
def installed(
    model: nn.Module | None,
    optimizers: Sequence[Optimizer] | None,
    listener: Listener,
    step_over: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Send the listener all of this while the block runs; call `step_over` when a training step has ended.

    Args:
        model: None: the first that is called with gradients on and has something to train.
        optimizers: None: all that hold a parameter of the model, whenever they are made.
        listener: receives the events.
        step_over: called after a step's last event.
    """
    followed: list[nn.Module] = []

    def ends(optimizer: Optimizer, *_: Any) -> None:
        if listener.step_ends(optimizer):
            step_over()

    def before(module: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        if torch.is_grad_enabled() and not _unobservable():
            (listener.forward_counted if listener.counting else listener.forward_begins)(module, positional, named)

    def after(module: nn.Module, positional: Any, output: Any) -> None:
        if not listener.counting and torch.is_grad_enabled() and not _unobservable():
            listener.forward_ends(module, output)

    def begins(optimizer: Optimizer, *_: Any) -> None:
        if not listener.counting:
            listener.step_begins(optimizer)

    def follow(module: nn.Module) -> None:
        followed.append(module)
        if not _wrap_compiled(module, listener, stack):
            stack.callback(module.register_forward_pre_hook(before, with_kwargs=True).remove)
            stack.callback(module.register_forward_hook(after, always_call=True).remove)

    with ExitStack() as stack:
        follow(model) if model is not None else _await_model(follow, stack)
        if optimizers is None:
            _hook_every_optimizer(followed, begins, ends, stack)
        for optimizer in optimizers or ():
            stack.callback(optimizer.register_step_pre_hook(begins).remove)
            stack.callback(optimizer.register_step_post_hook(ends).remove)
        _wrap_scaler(listener, stack, step_over)
        _wrap_backward(listener, stack)
        yield


OptimizerHook = Callable[..., None]


def _hook_every_optimizer(
    followed: Sequence[nn.Module], begins: OptimizerHook, ends: OptimizerHook, stack: ExitStack
) -> None:
    """Hook all optimizers, whenever they are made; those that hold no parameter of the followed model are left out."""

    def of_followed(hook: OptimizerHook) -> OptimizerHook:
        def passed_on(optimizer: Optimizer, *_: Any) -> None:
            if followed and holds(optimizer, followed[0]):
                hook(optimizer)

        return passed_on

    stack.callback(register_optimizer_step_pre_hook(of_followed(begins)).remove)
    stack.callback(register_optimizer_step_post_hook(of_followed(ends)).remove)


def _await_model(follow: Callable[[nn.Module], None], stack: ExitStack) -> None:
    """Stand around every module's call until one is called that is to be followed, its first call included."""
    original = nn.Module.__call__

    def call(module: nn.Module, *positional: Any, **named: Any) -> Any:
        if not _unobservable() and torch.is_grad_enabled() and any(one.requires_grad for one in module.parameters()):
            nn.Module.__call__ = original
            follow(module)
        return original(module, *positional, **named)

    nn.Module.__call__ = call
    stack.callback(setattr, nn.Module, "__call__", original)


def _unobservable() -> bool:
    """While a model that is called inside a compiled region is compiled, or a CUDA graph is recorded."""
    # The compiler reads this test itself and leaves the rest of the hook out: no break, no word to the listener.
    return torch.compiler.is_compiling() or (torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing())


def _wrap_compiled(model: nn.Module, listener: Listener, stack: ExitStack) -> bool:
    """Stand around the call of a model that `model.compile()` was called on: hooks would be compiled with it."""
    compiled = getattr(model, "_compiled_call_impl", None)
    if compiled is None:
        return False

    def call(*positional: Any, **named: Any) -> Any:
        if not torch.is_grad_enabled() or _unobservable():
            return compiled(*positional, **named)
        if listener.counting:
            listener.forward_counted(model, positional, named)
            return compiled(*positional, **named)
        output = None
        listener.forward_begins(model, positional, named)
        try:
            output = compiled(*positional, **named)
        finally:
            listener.forward_ends(model, output)
        return output

    model._compiled_call_impl = call
    stack.callback(setattr, model, "_compiled_call_impl", compiled)
    return True


def _wrap_backward(listener: Listener, stack: ExitStack) -> None:
    """Stand in for `torch.autograd.backward`; a nested call (inside a checkpoint) passes through."""
    original = torch.autograd.backward
    inside = False

    @functools.wraps(original)
    def backward(tensors: Any, *arguments: Any, **named: Any) -> None:
        nonlocal inside
        root = tensors if isinstance(tensors, Tensor) else tensors[0] if len(tensors) == 1 else None
        if inside or root is None or root.numel() != 1:
            return original(tensors, *arguments, **named)
        inside = True
        try:
            plain, unit = getattr(root.grad_fn, "metadata", {}).get(UNIT, (root, None))
            if listener.counting:
                original(tensors, *arguments, **named)
                return listener.backward_counted(plain)
            listener.backward_begins(root, plain, unit)
            try:
                original(tensors, *arguments, **named)
            except BaseException:
                listener.backward_fails()
                raise
            listener.backward_ends()
        finally:
            inside = False

    torch.autograd.backward = backward  # type: ignore[assignment]
    stack.callback(setattr, torch.autograd, "backward", original)


def _wrap_scaler(listener: Listener, stack: ExitStack, step_over: Callable[[], None]) -> None:
    """Remember what each loss was multiplied with, and when a scaler is asked to step."""
    scale, step = GradScaler.scale, GradScaler.step

    @functools.wraps(scale)
    def scaled(self: GradScaler, outputs: Any) -> Any:
        product = scale(self, outputs)
        if isinstance(product, Tensor) and product.grad_fn is not None and self.is_enabled():
            product.grad_fn.metadata[UNIT] = (outputs, self._scale)  # type: ignore[attr-defined]
        return product

    @functools.wraps(step)
    def stepped(self: GradScaler, optimizer: Optimizer, *arguments: Any, **named: Any) -> Any:
        result = step(self, optimizer, *arguments, **named)
        if listener.scaler_stepped(optimizer):
            step_over()
        return result

    GradScaler.scale, GradScaler.step = scaled, stepped  # type: ignore[method-assign]
    stack.callback(setattr, GradScaler, "scale", scale)
    stack.callback(setattr, GradScaler, "step", step)
