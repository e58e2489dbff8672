"""Numbers that are still tensors: noted while the passes run, fetched all at once at the end."""

from __future__ import annotations

from torch import Tensor

from evenkeel.chain.meter import Reading
from evenkeel.chain.statistics import numbers


class Ledger:
    """Hands out tickets for 0-d tensors; `settle` turns all of them into numbers with one wait for the device."""

    def __init__(self) -> None:
        self._tensors: list[Tensor] = []
        self._readings: list[Reading] = []
        self._values: list[float] = []
        self._norms: dict[int, float | None] = {}

    def note(self, tensor: Tensor | None) -> int | None:
        """A ticket for a 0-d tensor; None for None."""
        if tensor is None:
            return None
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def expect(self, reading: Reading) -> Reading:
        """Announce a reading whose norm will be wanted after the backward pass."""
        self._readings.append(reading)
        return reading

    def settle(self, unit: float = 1.0) -> None:
        """Fetch everything; the norms of gradients are divided by `unit`."""
        norms = [(reading, reading.norm) for reading in self._readings]
        found = [(reading, norm) for reading, norm in norms if norm is not None]
        fetched = numbers([*self._tensors, *(norm for _, norm in found)])
        self._values = fetched[: len(self._tensors)]
        self._norms = {id(reading): None for reading, _ in norms}
        for (reading, _), value in zip(found, fetched[len(self._tensors) :], strict=True):
            self._norms[id(reading)] = value / unit

    def value(self, ticket: int | None) -> float | None:
        """The number behind a ticket."""
        return None if ticket is None else self._values[ticket]

    def norm(self, reading: Reading | None) -> float | None:
        """The norm of an announced reading; None where no gradient came by."""
        return None if reading is None else self._norms[id(reading)]
