"""A call of a model, kept so that it can be made again: arguments, random state, autocast.

Nothing is copied when a call is kept: it costs a few microseconds. Made again at once, with weights that no step has
changed, it computes the same values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Arguments = tuple[tuple[Any, ...], Mapping[str, Any]]
"""Positional and named."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One call: its arguments, the states of the random generators before it, and the autocast types in force."""

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
        set_random_states(self.states)
        with ExitStack() as stack:
            stack.callback(set_random_states, before)
            for device, kind in self.autocast:
                stack.enter_context(torch.autocast(device, kind))
            yield


def called(arguments: Arguments) -> Call:
    """The call that is about to be made with these arguments."""
    devices = ("cpu", "cuda") if torch.cuda.is_initialized() else ("cpu",)
    autocast = tuple((one, torch.get_autocast_dtype(one)) for one in devices if torch.is_autocast_enabled(one))
    return Call(arguments=arguments, states=random_states(), autocast=autocast)


def random_states() -> list[Tensor]:
    """The states of the CPU's generator and of every GPU's."""
    gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    return [torch.get_rng_state(), *gpus]


def set_random_states(states: list[Tensor]) -> None:
    """Put the generators back to states from before."""
    torch.set_rng_state(states[0])
    if states[1:]:
        torch.cuda.set_rng_state_all(states[1:])
