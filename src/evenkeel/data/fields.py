"""Fields: one part of every example, stored compactly, and handed out as the tensor of a batch.

A tensor with the example as first axis is a field already. The others hold examples of unequal size in one piece (steps
of sequences, nodes of graphs), windows of one long series without a copy, or a value that all examples share. All have
the same methods: `field.index_select(0, rows)` is a batch, `field.to(device)` moves the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import torch

from evenkeel.errors import ShapeError
from evenkeel.shapes import Int, Shaped, Tensor

IGNORED = -100  # the class number of padding: no loss and no metric counts it


@runtime_checkable
class Field(Protocol):
    """Interface of a field, which tensors have too: a length, the batch of some rows, a copy on a device."""

    def __len__(self) -> int: ...

    def index_select(self, dim: int, index: Tensor, /) -> Tensor:
        """Return the batch of these rows, in their order."""
        ...

    def to(self, device: torch.device | str, /) -> Field:
        """Return the same field on a device."""
        ...


Fields = Mapping[str, Field]
"""The names of a network's arguments -> the field that each is fed."""


def starts_of(lengths: Iterable[int]) -> Int[Tensor, "end"]:
    """Compute where each of several pieces starts in one long tensor, and where the last one ends.

    Example:
        >>> starts_of([2, 3]).tolist()
        [0, 2, 5]
    """
    return torch.tensor([0, *lengths], dtype=torch.int64).cumsum(0)


def places_of(starts: Int[Tensor, "end"], rows: Int[Tensor, "row"]) -> Int[Tensor, "place"]:
    """Compute the places in the long tensor of everything that belongs to the rows, row after row."""
    first = starts[rows]
    lengths = starts[rows + 1] - first
    before = lengths.cumsum(0) - lengths
    return torch.arange(int(lengths.sum()), device=starts.device) + (first - before).repeat_interleave(lengths)


def join(pieces: Sequence[Tensor]) -> tuple[Tensor, Int[Tensor, "end"]]:
    """Join pieces of unequal length to one long tensor; also return where each starts."""
    if not pieces:
        raise ShapeError("expected at least one piece to join, got none")
    return torch.cat(list(pieces)), starts_of(len(piece) for piece in pieces)


@dataclass(frozen=True)
class Ragged:
    """Sequences of unequal length, padded at their end to the longest of the batch.

    `values` (place, ...) holds all of them, `starts` (row + 1,) where each begins; `fill` is what padding holds.

    Example:
        >>> field = Ragged(*join([torch.tensor([1, 2]), torch.tensor([3])]))
        >>> field.index_select(0, torch.tensor([1, 0])).tolist()
        [[3, 0], [1, 2]]
    """

    values: Shaped[Tensor, "place *rest"]
    starts: Int[Tensor, "end"]
    fill: float | int = 0

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Int[Tensor, "row"]:
        """Number of steps of each row, which is a field beside this one."""
        return self.starts.diff()

    def index_select(self, dim: int, index: Int[Tensor, "row"], /) -> Shaped[Tensor, "row step *rest"]:
        """Return (row, step, ...), padded with `fill`."""
        lengths = self.starts[index + 1] - self.starts[index]
        longest = int(lengths.max()) if len(index) else 0
        padded = self.values.new_full((len(index), longest, *self.values.shape[1:]), self.fill)
        there = torch.arange(longest, device=lengths.device) < lengths.unsqueeze(1)
        padded[there] = self.values[places_of(self.starts, index)]
        return padded

    def to(self, device: torch.device | str, /) -> Ragged:
        """Return the same field on a device."""
        return Ragged(self.values.to(device), self.starts.to(device), self.fill)


@dataclass(frozen=True)
class Joined:
    """Pieces of unequal length, one after the other: nodes of graphs, or the answers of every step.

    Example:
        >>> field = Joined(*join([torch.tensor([1, 2]), torch.tensor([3])]))
        >>> field.index_select(0, torch.tensor([1, 0])).tolist()
        [3, 1, 2]
    """

    values: Shaped[Tensor, "place *rest"]
    starts: Int[Tensor, "end"]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def index_select(self, dim: int, index: Int[Tensor, "row"], /) -> Shaped[Tensor, "place *rest"]:
        """Return (place, ...) of all rows together."""
        return self.values[places_of(self.starts, index)]

    def to(self, device: torch.device | str, /) -> Joined:
        """Return the same field on a device."""
        return Joined(self.values.to(device), self.starts.to(device))


@dataclass(frozen=True)
class Edges:
    """Edges of many graphs, numbered anew for the nodes of a batch.

    `edges` (2, edge) count the nodes of their own graph; `starts` say where each graph's edges begin, `nodes` where its
    nodes do.
    """

    edges: Int[Tensor, "2 edge"]
    starts: Int[Tensor, "end"]
    nodes: Int[Tensor, "end"]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def index_select(self, dim: int, index: Int[Tensor, "row"], /) -> Int[Tensor, "2 edge"]:
        """Return (2, edge) between the nodes of the batch in the order of `Joined`."""
        counts = self.nodes[index + 1] - self.nodes[index]
        shift = (counts.cumsum(0) - counts).repeat_interleave(self.starts[index + 1] - self.starts[index])
        return self.edges[:, places_of(self.starts, index)] + shift

    def to(self, device: torch.device | str, /) -> Edges:
        """Return the same field on a device."""
        return Edges(self.edges.to(device), self.starts.to(device), self.nodes.to(device))


@dataclass(frozen=True)
class Owners:
    """Number of the example to which each place of a batch belongs: 0 0 1 2 2 ...; `starts` as in `Joined`."""

    starts: Int[Tensor, "end"]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def index_select(self, dim: int, index: Int[Tensor, "row"], /) -> Int[Tensor, "place"]:
        """Return (place,) numbers of the batch's examples."""
        counts = self.starts[index + 1] - self.starts[index]
        return torch.arange(len(index), device=counts.device).repeat_interleave(counts)

    def to(self, device: torch.device | str, /) -> Owners:
        """Return the same field on a device."""
        return Owners(self.starts.to(device))


@dataclass(frozen=True)
class Windows:
    """Windows of one long series: row i is `series[starts[i] : starts[i] + length]`; nothing is copied before.

    Example:
        >>> Windows(torch.arange(10), torch.tensor([0, 4]), 3).index_select(0, torch.tensor([1])).tolist()
        [[4, 5, 6]]
    """

    series: Shaped[Tensor, "place *rest"]
    starts: Int[Tensor, "row"]
    length: int

    def __len__(self) -> int:
        return len(self.starts)

    def index_select(self, dim: int, index: Int[Tensor, "row"], /) -> Shaped[Tensor, "row step *rest"]:
        """Return (row, step, ...)."""
        steps = torch.arange(self.length, device=self.starts.device)
        return self.series[self.starts[index].unsqueeze(1) + steps]

    def to(self, device: torch.device | str, /) -> Windows:
        """Return the same field on a device."""
        return Windows(self.series.to(device), self.starts.to(device), self.length)


@dataclass(frozen=True)
class SharedField:
    """Value that every batch shares, such as the one graph whose nodes are the examples; `rows` counts these."""

    value: Shaped[Tensor, "..."]
    rows: int

    def __len__(self) -> int:
        return self.rows

    def index_select(self, dim: int, index: Int[Tensor, "row"], /) -> Shaped[Tensor, "..."]:
        """Return the whole value."""
        return self.value

    def to(self, device: torch.device | str, /) -> SharedField:
        """Return the same field on a device."""
        return SharedField(self.value.to(device), self.rows)


@dataclass(frozen=True)
class Hosted:
    """A tensor that stays on the host, or on disk, because the device has no room for it; batches go to the device."""

    value: Shaped[Tensor, "row *rest"]
    device: torch.device

    def __len__(self) -> int:
        return len(self.value)

    def index_select(self, dim: int, index: Int[Tensor, "row"], /) -> Shaped[Tensor, "row *rest"]:
        """Return (row, ...) on the device."""
        return self.value.index_select(0, index.cpu()).to(self.device)

    def to(self, device: torch.device | str, /) -> Hosted:
        """Return the same field for batches on another device."""
        return Hosted(self.value, torch.device(device))


ROOM = 0.5  # of a device's free memory, for one field: the network, its gradients and the other fields need the rest


def placed(field: Field, device: torch.device) -> Field:
    """Move a field to a device, or keep it on the host where it would take more than half of the free memory."""
    if device.type != "cuda" or not isinstance(field, Tensor) or field.is_cuda:
        return field.to(device)
    free, _ = torch.cuda.mem_get_info(device)
    return Hosted(field, device) if field.nbytes > ROOM * free else field.to(device)


def pick(fields: Fields, rows: Int[Tensor, "row"]) -> dict[str, Tensor]:
    """Select the batch of some rows, by the names of the network's arguments."""
    return {name: field.index_select(0, rows) for name, field in fields.items()}


def all_rows(field: Field) -> Tensor:
    """Return all rows of a field as one batch."""
    return field if isinstance(field, Tensor) else field.index_select(0, torch.arange(len(field)))


F = TypeVar("F", bound=Field)


def in_form(field: Field, form: type[F]) -> F:
    """Check that a field has the class in which its kind of data stores it.

    Raises:
        TypeError: it has another class.
    """
    if not isinstance(field, form):
        raise TypeError(f"expected a field kept as {form.__name__}, got {type(field).__name__}")
    return field


def kept(field: Field) -> tuple[Tensor, ...]:
    """Return the tensors that a field is made of, which identify the data of an interrupted run."""
    if isinstance(field, Tensor):
        return (field,)
    return tuple(value for value in vars(field).values() if isinstance(value, Tensor))
