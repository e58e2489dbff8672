"""The ways to measure the chain of one step: on the live graph, by replay, or by repeating an earlier measurement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from evenkeel.chain import Chain
from evenkeel.chain.look.echo import Echo, EchoLook
from evenkeel.chain.look.live import LiveLook, ReplayLook
from evenkeel.chain.record.call import Arguments


@runtime_checkable
class ChainLook(Protocol):
    """Measures the chain of one step, by calls in the order of the step."""

    def enter(self, arguments: Arguments) -> None:
        """A forward pass begins."""

    def leave(self, output: Any) -> None:
        """A forward pass has ended."""

    def reaches(self, loss: Tensor) -> bool:
        """Whether the loss may depend on an output that was seen."""
        ...

    def attach(self, loss: Tensor) -> None:
        """The backward pass begins."""

    def ask(self, unit: Tensor | float = 1.0) -> None:
        """The backward pass has ended: ask the device for the numbers, without waiting."""

    @property
    def ready(self) -> bool:
        """Whether `chain` would not wait for the device."""
        ...

    def chain(self, unit: float = 1.0) -> Chain:
        """Return the chain; `unit` is what the loss was multiplied with."""
        ...

    def drop(self) -> None:
        """Remove every hook."""


@dataclass(frozen=True, kw_only=True)
class ChainMethod:
    """A look, and what sets its way of measuring apart from the others."""

    look: ChainLook
    repeats: bool = False
    fits: Callable[[Arguments], bool] = lambda arguments: True
    """Whether a forward pass with these arguments can be measured so."""
    reached: Callable[[], bool] = lambda: True
    """After the backward pass: whether a gradient came to the model's output."""
    other_step: Callable[[], bool] = lambda: False
    """Whether the step turned out to be another than the one that is repeated."""
    echo: Callable[[], Echo | None] = lambda: None
    """What later looks may repeat."""


def by_hooks(model: nn.Module) -> ChainMethod:
    """Measure on the graph of the step itself."""
    look = LiveLook(model)
    return ChainMethod(look=look, echo=lambda: look.echo)


def by_replay(model: nn.Module) -> ChainMethod:
    """Run the forward pass once more, along the dL/dy that was seen."""
    look = ReplayLook(model)
    return ChainMethod(look=look, reached=lambda: look.seen)


def by_repeating(echo: Echo) -> ChainMethod:
    """Measure a step of known shape where an earlier look did."""
    look = EchoLook(echo)
    return ChainMethod(look=look, repeats=True, fits=look.fits, other_step=lambda: look.lost)
