"""Numbers that are still tensors: noted while the passes run, fetched all at once at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from torch import Tensor

from evenkeel.chain.record.reading import Reading
from evenkeel.chain.record.recurrent import Unrolled
from evenkeel.chain.record.statistics import sound
from evenkeel.chain.record.values import Value


class Source(NamedTuple):
    """Which value a number was read of, and how: from its summary, or by a function of the tensor.

    `examples`: whether some of them will do where there is no time for all.
    """

    value: Value | None
    read: Literal["norm", "similarity"] | Callable[[Tensor], Tensor]
    examples: Literal["all", "some"] = "some"


class Ledger:
    """Hands out tickets for 0-d tensors; `ask` names all of them at once, `settle` takes the numbers in."""

    def __init__(self) -> None:
        self._tensors: list[Tensor] = []
        self.sources: dict[int, Source] = {}
        """By ticket; they hold tensors, so that whoever opened the ledger empties it before the backward pass."""
        self._readings: list[Reading] = []
        self._values: dict[int, float] = {}
        self._renewed: list[int] | None = None
        self._norms: dict[int, float | None] = {}
        self._fetching: list[tuple[Reading, Tensor]] = []
        self.doubtful = False
        """Whether a norm was taken quickly that is too small or too large for that."""
        self.gradients: Mapping[str, float | None] = {}
        """Norms of the parameters' gradients by name; None where one got none."""
        self.unrolled: dict[int, Unrolled] = {}
        """The chain over time of each call of a recurrent layer, by the call's `id`."""

    def note(self, tensor: Tensor | None, source: Source) -> int | None:
        """A ticket for a 0-d tensor; None for None."""
        if tensor is None:
            return None
        self._tensors.append(tensor)
        self.sources[len(self._tensors) - 1] = source
        return len(self._tensors) - 1

    def note_again(self, renewed: Mapping[int, Tensor]) -> None:
        """Other tensors behind some tickets, after the first ones were settled; the others have no number any more."""
        self._renewed, self._tensors, self._values = list(renewed), list(renewed.values()), {}

    def expect(self, reading: Reading) -> Reading:
        """Announce a reading whose norm will be wanted after the backward pass."""
        self._readings.append(reading)
        return reading

    def ask(self) -> list[Tensor]:
        """Everything that is to be fetched, for `settle` to be told the numbers."""
        norms = [(reading, reading.norm) for reading in self._readings]
        self._fetching = [(reading, norm) for reading, norm in norms if norm is not None]
        return [*self._tensors, *(norm for _, norm in self._fetching)]

    def settle(self, fetched: Sequence[float], unit: float = 1.0) -> None:
        """Take the numbers in; the norms of gradients are divided by `unit`."""
        tickets = range(len(self._tensors)) if self._renewed is None else self._renewed
        self._values.update(zip(tickets, fetched, strict=False))
        self._norms = {id(reading): None for reading in self._readings}
        self.doubtful = False
        for (reading, _), value in zip(self._fetching, fetched[len(self._tensors) :], strict=True):
            self._norms[id(reading)] = value / unit
            self.doubtful |= reading.manner == "quick" and not sound(value)
        self._tensors, self._fetching = [], []

    def value(self, ticket: int | None) -> float | None:
        """The number behind a ticket."""
        return None if ticket is None else self._values.get(ticket)

    def norm(self, reading: Reading | None) -> float | None:
        """The norm of an announced reading; None where no gradient came by."""
        return None if reading is None else self._norms[id(reading)]
