"""A call of a model, kept so that it can be made again: arguments, random state, autocast.

Nothing is copied when a call is kept: it costs a few microseconds. Made again at once, with weights that no step has
changed, it computes the same values.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as module_hooks

from evenkeel.chain.record.batch import tensors_in

Arguments = tuple[tuple[Any, ...], Mapping[str, Any]]
"""Positional and named."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One call: its arguments, the states of the random generators before it (or none), the autocast types in force."""

    arguments: Arguments
    states: list[Tensor]
    autocast: tuple[tuple[str, torch.dtype], ...]

    @contextmanager
    def again(self) -> Iterator[None]:
        """Within the block the random state and autocast are those of the call; afterwards what they were.

        Example:
            >>> call = called(((), {}))
            >>> first = torch.rand(3)
            >>> with call.again():
            ...     second = torch.rand(3)
            >>> bool((first == second).all())
            True
        """
        before = random_states()
        set_random_states(self.states or before)
        with ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings(action="ignore"))  # torch's, of compiled parts and our hooks
            stack.callback(forget_hooks)
            stack.callback(set_random_states, before)
            for device, kind in self.autocast:
                stack.enter_context(torch.autocast(device, kind))
            yield


def glimpsed(arguments: Arguments) -> Call:
    """Keep the arguments of a call alone: made again, random numbers and autocast are as they are then."""
    return Call(arguments=arguments, states=[], autocast=())


def called(arguments: Arguments) -> Call:
    """The call that is about to be made with these arguments."""
    devices = ("cpu", "cuda") if torch.cuda.is_initialized() else ("cpu",)
    autocast = tuple((one, torch.get_autocast_dtype(one)) for one in devices if torch.is_autocast_enabled(one))
    return Call(arguments=arguments, states=random_states(), autocast=autocast)


def bound(model: nn.Module, arguments: Arguments) -> Any:
    """The arguments of a call as `trace` takes inputs: a tuple, or by name where some came so."""
    positional, named = arguments
    if not named:
        return tuple(positional)
    signature = inspect.signature(model.forward)
    inputs = dict(signature.bind(*positional, **named).arguments)
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            inputs |= inputs.pop(name, {})
    return inputs


def along(gradients: Mapping[int, Tensor | None]) -> Callable[[Any, None], Tensor]:
    """A loss whose gradients at the output's tensors, counted in order, are these: sum of output times gradient."""

    def loss(output: Any, target: None) -> Tensor:
        tensors = [tensor for tensor in tensors_in(output) if tensor.requires_grad]
        seen = [(tensor, gradients.get(index)) for index, tensor in enumerate(tensors)]
        return torch.stack([(tensor * gradient).sum() for tensor, gradient in seen if gradient is not None]).sum()

    return loss


def forget_hooks() -> None:
    """Clear what torch keeps of global forward hooks after their removal: each later call of a module pays for it."""
    marks = module_hooks._global_forward_hooks_with_kwargs
    for key in [key for key in marks if key not in module_hooks._global_forward_hooks]:
        del marks[key]


def random_states() -> list[Tensor]:
    """The states of the CPU's generator and of every GPU's."""
    gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    return [torch.get_rng_state(), *gpus]


def set_random_states(states: list[Tensor]) -> None:
    """Put the generators back to states from before."""
    torch.set_rng_state(states[0])
    if states[1:]:
        torch.cuda.set_rng_state_all(states[1:])
