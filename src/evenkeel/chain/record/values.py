"""A recorded tensor: held while its memory is shared with the graph, summarised and let go where it is not."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import Tensor

from evenkeel.chain.record.operations import Kind
from evenkeel.chain.record.statistics import Summary, norm_of, norms_of, summarise, summarise_all


class Value:
    """One tensor of the forward pass; after `freeze` only its summary and its place in the graph are left."""

    __slots__ = ("_address", "_batch", "_held", "_node", "_summary", "kind", "shape")

    def __init__(self, tensor: Tensor, *, weak: bool, kind: Kind) -> None:
        self.kind = kind
        self._held: Any = weakref.ref(tensor) if weak else tensor
        self._node: Any = None
        self._address: int | None = None
        self._summary: Summary | None = None
        self._batch: int | None = None
        self.shape = tuple(tensor.shape)

    @property
    def tensor(self) -> Tensor | None:
        """The tensor itself while it is held and alive, unless something overwrote it in place."""
        return self._held() if isinstance(self._held, weakref.ref) else self._held

    @property
    def node(self) -> Any:
        """The autograd node that made this tensor, or None."""
        tensor = self.tensor
        return self._node if tensor is None else tensor.grad_fn

    def freeze(self, batch: int | None) -> None:
        """Summarise the tensor as it is now and let go of it."""
        tensor = self.tensor
        if tensor is None:
            return
        self._node, self._address = tensor.grad_fn, address(tensor)
        self._summary = summarise(tensor, batch) if tensor.is_floating_point() else None
        self._held = None

    def among(self, tensors: Mapping[tuple[int | None, int], Tensor]) -> Tensor | None:
        """The tensor among others, by address and length, that is this value or, after `freeze`, still holds it."""
        tensor = self.tensor
        if tensor is not None:
            return tensors.get((address(tensor), tensor.numel()))
        kept = None if self._address is None else tensors.get((self._address, math.prod(self.shape)))
        if kept is None or self._summary is None or not kept.is_floating_point():
            return None
        # The memory may have been used for something else since: then its norm is another.
        same = math.isclose(float(norm_of(kept)), float(self._summary.norm), rel_tol=1e-6)
        return kept if same else None

    def summary(self, batch: int | None) -> Summary | None:
        """The summary of the tensor as it was when it was made, or None where it is gone."""
        tensor = self.tensor
        known = self._summary is not None and (batch is None or self._batch == batch)
        if tensor is not None and tensor.is_floating_point() and not known:
            self._summary, self._batch = summarise(tensor, batch), batch
        return self._summary


def address(tensor: Tensor) -> int | None:
    """Where a tensor's entries lie; None where they lie nowhere (sparse ones, wrappers)."""
    try:
        return tensor.data_ptr()
    except RuntimeError:
        return None


def summarise_values(values: Iterable[Value], batch: int | None) -> None:
    """Summarise all that are still held, ahead of their use one by one."""
    held = {id(value): value for value in values if value._summary is None}
    pairs = [(value, value.tensor) for value in held.values()]
    floating = [(value, tensor) for value, tensor in pairs if tensor is not None and tensor.is_floating_point()]
    summaries = summarise_all([tensor for _, tensor in floating], batch)
    for (value, _), summary in zip(floating, summaries, strict=True):
        value._summary, value._batch = summary, batch


@dataclass(frozen=True, kw_only=True)
class ModuleCall:
    """One call of one module: its path in the model, its class, and how often it had been called before."""

    path: str
    module: Any
    number: int
    leaf: bool

    @property
    def name(self) -> str:
        """The path, with the number of the call from the second on: `cell`, `cell#2`."""
        return self.path if self.number == 0 else f"{self.path}#{self.number + 1}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Weight:
    """A parameter (or what was computed from it) as an argument of an operation."""

    name: str
    tensor: Tensor
    position: int

    @cached_property
    def mean_square(self) -> float:
        """The mean of the squared entries."""
        return float(norm_of(self.tensor)) ** 2 / self.tensor.numel() if self.tensor.numel() else 0.0


def measure(weights: Sequence[Weight]) -> None:
    """Find the mean squares of many weights at once, ahead of their use one by one."""
    filled = [weight for weight in weights if weight.tensor.numel()]
    norms = norms_of([weight.tensor for weight in filled])
    for weight, norm in zip(filled, norms, strict=True):
        vars(weight)["mean_square"] = norm**2 / weight.tensor.numel()  # where `cached_property` looks


@dataclass(eq=False, kw_only=True)
class Operation:
    """One operation of the forward pass that depends on the data."""

    name: str
    kind: Kind
    function: Any
    arguments: tuple[Any, ...]
    call: ModuleCall | None
    phase: str
    hidden: bool = False
    """Whether it ran inside a custom operation, out of the graph's sight: its output may be that operation's."""
    weights: list[Weight] = field(default_factory=list)
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    buffers: list[Tensor] = field(default_factory=list)
    """Norms only: tensors that are neither data nor weights (running averages)."""
    keep: float | None = None
    """Dropout only: the probability with which an entry is kept."""

    def as_custom(self, node: Any) -> Operation:
        """What stands for the custom operation behind `node`, whose last step this was: its output, and no theory."""
        name = node.name().removesuffix("Backward")
        return Operation(
            name=name,
            kind="operation",
            function=self.function,
            arguments=(),
            call=self.call,
            phase=self.phase,
            outputs=self.outputs,
        )

    def release(self) -> None:
        """Let go of all tensors but the weights: the backward pass frees them as it goes."""
        self.inputs, self.outputs, self.buffers = [], [], []
