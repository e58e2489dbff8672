"""Numbers on their way from the device: asked for without waiting, read once they are there."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Fetch:
    """The values of many 0-d tensors; from the CPU at once, from a GPU by a copy that nobody waits for.

    Example:
        >>> asked = Fetch([torch.tensor(1.5), torch.tensor(2, dtype=torch.int64)])
        >>> asked.ready, asked.numbers()
        (True, [1.5, 2.0])
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self._places: list[list[int]] = []
        self._copies: list[Tensor] = []
        self._events: list[torch.cuda.Event] = []
        self._count = len(tensors)
        groups: dict[tuple[torch.device, torch.dtype], list[int]] = {}
        for place, tensor in enumerate(tensors):
            groups.setdefault((tensor.device, tensor.dtype), []).append(place)
        for (device, _), places in groups.items():
            self._places.append(places)
            self._copies.append(self._copied(torch.stack([tensors[place].detach() for place in places]), device))

    def _copied(self, values: Tensor, device: torch.device) -> Tensor:
        if device.type != "cuda":
            return values.cpu()
        copy = torch.empty(values.shape, dtype=values.dtype, pin_memory=True).copy_(values, non_blocking=True)
        event = torch.cuda.Event()
        event.record(torch.cuda.current_stream(device))
        self._events.append(event)
        return copy

    @property
    def ready(self) -> bool:
        """Whether `numbers` would not wait."""
        return all(event.query() for event in self._events)

    def numbers(self) -> list[float]:
        """All of them as Python numbers, in the order of the tensors."""
        for event in self._events:
            event.synchronize()
        numbers = [0.0] * self._count
        for places, copy in zip(self._places, self._copies, strict=True):
            for place, number in zip(places, copy.tolist(), strict=True):
                numbers[place] = float(number)
        return numbers
