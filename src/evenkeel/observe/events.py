"""The events of a training loop: forward, backward and step, each with its model, its loss or its optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn
from torch.optim import Optimizer


@runtime_checkable
class Listener(Protocol):
    """Receives the events of a training loop, in the order of a step."""

    @property
    def counting(self) -> bool:
        """Whether this step is only counted: `forward_counted`, `backward_counted` and `step_ends` are its events."""
        ...

    def forward_counted(self, model: nn.Module, positional: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """A model is called, in a step that is only counted."""

    def backward_counted(self, loss: Tensor) -> None:
        """A loss was differentiated, in a step that is only counted."""

    def forward_begins(self, model: nn.Module, positional: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """A model is called, with gradients on."""

    def forward_ends(self, model: nn.Module, output: Any) -> None:
        """It returned, or raised: then the output is None."""

    def backward_begins(self, loss: Tensor, original: Tensor, unit: Tensor | None) -> None:
        """One number is about to be differentiated: `original` times `unit` where a scaler multiplied it."""

    def backward_ends(self) -> None:
        """All gradients of that pass are there."""

    def backward_fails(self) -> None:
        """It raised: some gradients are there."""

    def step_begins(self, optimizer: Optimizer) -> None:
        """An optimizer is about to change the weights."""

    def step_ends(self, optimizer: Optimizer) -> bool:
        """It has. Returns whether that ends a training step."""
        ...

    def scaler_stepped(self, optimizer: Optimizer) -> bool:
        """A gradient scaler was asked to step it, and left the step out where no hook fired in between."""
        ...
