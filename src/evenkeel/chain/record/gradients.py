"""What each parameter gets in one backward pass, whatever lies there already and whoever clears it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, distributed


class PassGradients:
    """Gradients of one pass by name, filled in while the pass runs inside `of`.

    Example:
        >>> import torch
        >>> weight, gradients = torch.ones(2, requires_grad=True), PassGradients()
        >>> weight.grad = torch.full((2,), 100.0)  # from an earlier pass
        >>> with gradients.of({"weight": weight}):
        ...     (3 * weight).sum().backward()
        >>> gradients.gradients["weight"].tolist()
        [3.0, 3.0]
    """

    def __init__(self) -> None:
        self.gradients: dict[str, Tensor | None] = {}

    @contextmanager
    def of(self, parameters: Mapping[str, Tensor]) -> Iterator[None]:
        """Around the backward pass."""
        self.gradients = {}
        fresh = _stays(parameters.values())
        hooked = {} if fresh else parameters
        handles = [one.register_hook(keeper(self.gradients, name)) for name, one in hooked.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
        if fresh:
            self.gradients = {name: one.grad for name, one in parameters.items()}


def keeper(into: dict[Any, Tensor | None], key: Any) -> Callable[[Tensor], None]:
    """A hook that keeps a gradient under a key."""

    def hook(gradient: Tensor) -> None:
        into[key] = gradient.detach()

    return hook


def _stays(parameters: Iterable[Tensor]) -> bool:
    """Whether `.grad` after the pass is what this pass alone gives: it holds nothing yet, and no hook changes it."""
    hooked = any(one.grad is not None or one._post_accumulate_grad_hooks for one in parameters)
    return not hooked and not (distributed.is_available() and distributed.is_initialized())
