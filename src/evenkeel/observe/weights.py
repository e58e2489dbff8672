"""What one optimizer step does to each weight: sizes of gradient and update, and Adam's surprise.

    update = w_after - w_before,   moved = share of entries that changed,   surprise = rms of g²/v
    v is Adam's moving mean of g² before this step, with its bias corrected.

Everything stays on the device until it is read. The gradient's norm is exact; of a large parameter the rest is read
from some of its entries, evenly spread, which alone are copied for the length of the step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor
from torch.optim import Optimizer

from evenkeel.chain.record.fetch import Fetch
from evenkeel.chain.record.statistics import sound, wide
from evenkeel.observe.surprise import correction, squared_ratio
from evenkeel.symptoms.history import ParameterLook

ADAPTIVE = (torch.optim.Adam, torch.optim.AdamW, torch.optim.NAdam, torch.optim.RAdam, torch.optim.Adamax)
LARGE = 1 << 12
"""Entries from which a parameter counts as large, and about as many of its entries are looked at."""


@dataclass(kw_only=True)
class _Row:
    """One parameter; `norms` are 0-d and on the device, one is the number of changed entries."""

    name: str
    parameter: Tensor
    group: dict[str, Any]
    gradient: Tensor | None = None
    norms: dict[str, Tensor | None]

    @property
    def part(self) -> Tensor:
        """The entries that are looked at, now."""
        return some(self.parameter.detach())

    @cached_property
    def seen(self) -> int:
        """How many they are."""
        return self.part.numel()


class StepLook:
    """Taken just before an optimizer's step, finished just after it.

    Example:
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        >>> model(torch.ones(4, 2)).sum().backward()
        >>> look = StepLook(model.named_parameters(), optimizer)
        >>> optimizer.step()
        >>> look.finish()
        >>> [(row.name, round(row.gradient_rms, 3), round(row.update_rms, 3)) for row in look.ask().read()]
        [('weight', 4.0, 2.0), ('bias', 4.0, 2.0)]
    """

    def __init__(
        self,
        named: Iterable[tuple[str, Tensor]],
        optimizer: Optimizer,
        depth: Literal["changes", "gradients"] = "changes",
    ) -> None:
        names = {id(parameter): name for name, parameter in named}
        self.optimizer, self.finished, self._depth = optimizer, False, depth
        self.rate = max((float(group["lr"]) for group in optimizer.param_groups if "lr" in group), default=0.0)
        self._rows = [
            _Row(name=names[id(parameter)], parameter=parameter, group=group, norms={})
            for group in optimizer.param_groups
            for parameter in group["params"]
            if id(parameter) in names
        ]
        self._before = [row.part.clone() for row in self._rows] if depth == "changes" else []
        self._scale = getattr(optimizer, "grad_scale", None)  # what a scaler left for a fused step to divide by
        self.gradients()

    @torch.no_grad()
    def gradients(self) -> None:
        """Look at the gradients as they are now."""
        for row in self._rows:
            gradient = row.parameter.grad
            gradient = None if gradient is None else _dense(gradient.detach())
            row.gradient = gradient if gradient is None or self._scale is None else gradient / self._scale
        self._put("gradient", [row.gradient for row in self._rows])
        if self._depth == "gradients":
            return
        self._put("surprise", _surprises(self._rows, self.optimizer))
        for row in self._rows:  # of a table of vectors a step may move a few alone, and none that is looked at
            if row.gradient is not None and row.seen < row.parameter.numel():
                row.norms["touched"] = torch.count_nonzero(_part(row.gradient, row))

    @torch.no_grad()
    def finish(self, *, closure: bool = False) -> None:
        """After the step: what changed; a `closure` made the gradients meanwhile."""
        if closure:
            self.gradients()
        self.finished = True
        if self._depth == "gradients":
            return
        changes = [row.part - before for row, before in zip(self._rows, self._before, strict=True)]
        self._put("weight", self._before)
        self._put("update", changes)
        for row, change in zip(self._rows, changes, strict=True):
            row.norms["moved"] = _whole(torch.count_nonzero(change)) if change.numel() else None
        self._before = []

    def _put(self, key: str, values: Sequence[Tensor | None]) -> None:
        for row, norm in zip(self._rows, _norms(values), strict=True):
            row.norms[key] = norm

    def ask(self) -> Rows:
        """The records, asked for."""
        return Rows(self._rows)


class Rows:
    """Records of parameters on their way from the device."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self._rows = rows
        for row in rows:
            if row.gradient is not None and row.gradient.device.type != "cpu":
                row.gradient = None  # its norm was taken in float64
        self._fetch = Fetch([norm for row in rows for norm in row.norms.values() if norm is not None])

    @property
    def ready(self) -> bool:
        """Whether `read` would not wait for it."""
        return self._fetch.ready

    def read(self) -> tuple[ParameterLook, ...]:
        """The records."""
        fetched, records = iter(self._fetch.numbers()), []
        for row in self._rows:
            value = {key: None if norm is None else next(fetched) for key, norm in row.norms.items()}
            records.append(_record(row, value))
            row.gradient = None
        return tuple(records)


def some(value: Tensor) -> Tensor:
    """Entries of a large tensor, evenly spread; a small one itself, and one that is not plain.

    Example:
        >>> some(torch.zeros(1000, 1000)).shape, some(torch.zeros(3, 4)).shape
        (torch.Size([4082]), torch.Size([3, 4]))
    """
    if value.numel() <= LARGE or not value.is_contiguous() or hasattr(value, "full_tensor"):
        return value
    return value.view(-1)[:: value.numel() // LARGE | 1]  # odd: never in step with the rows


def outside(named: Iterable[tuple[str, Tensor]], optimizers: Iterable[Optimizer]) -> list[tuple[str, Tensor]]:
    """The trainable parameters that no optimizer holds, with their names."""
    held = {id(parameter) for one in optimizers for group in one.param_groups for parameter in group["params"]}
    return [(name, one) for name, one in named if one.requires_grad and id(one) not in held]


@torch.no_grad()
def unheld(named: Iterable[tuple[str, Tensor]], optimizers: Iterable[Optimizer]) -> Rows:
    """What `outside` finds, looked at: such parameters may well get a gradient, and never move."""
    rows = [
        _Row(name=name, parameter=one, group={}, gradient=None if one.grad is None else _dense(one.grad), norms={})
        for name, one in outside(named, optimizers)
    ]
    for key, values in (("gradient", [row.gradient for row in rows]), ("weight", [row.part for row in rows])):
        for row, norm in zip(rows, _norms(values), strict=True):
            row.norms[key] = norm
    return Rows(rows)


def optimizer_kind(optimizers: Iterable[Optimizer]) -> Any:
    """`adaptive`, `momentum` or `descent`: how a step follows from the gradients."""
    known = list(optimizers)
    if any(isinstance(one, ADAPTIVE) or type(one).__name__ not in ("SGD", "ASGD", "LBFGS") for one in known):
        return "adaptive"
    return "momentum" if any(group.get("momentum") for one in known for group in one.param_groups) else "descent"


def gradient_norm(rows: Iterable[ParameterLook]) -> float | None:
    """Norm over all parameters, from their rms values.

    Example:
        >>> row = ParameterLook(name="w", size=4, weight_rms=1.0, gradient_rms=1.5, update_rms=None, moved=None)
        >>> gradient_norm([row])
        3.0
    """
    norms = [math.sqrt(row.size) * row.gradient_rms for row in rows if row.gradient_rms is not None]
    return math.hypot(*norms) if norms else None


def _record(row: _Row, norms: Mapping[str, float | None]) -> ParameterLook:
    size, seen = row.parameter.numel(), row.seen

    def rms(key: str) -> float | None:
        norm = norms.get(key)
        return None if norm is None else norm / math.sqrt(max(seen, 1))

    norm, moved = norms["gradient"], norms.get("moved")
    if norm is not None and row.gradient is not None and not sound(norm):
        norm = float(_norm(row.gradient, torch.float64))
    unseen = moved == 0 and norms.get("touched") == 0 and bool(norm)
    return ParameterLook(
        name=row.name,
        size=size,
        weight_rms=rms("weight") or 0.0,
        gradient_rms=None if norm is None else norm / math.sqrt(max(size, 1)),
        update_rms=None if unseen else rms("update"),
        moved=None if unseen or moved is None else moved / max(seen, 1),
        surprise=rms("surprise"),
    )


def _surprises(rows: Sequence[_Row], optimizer: Optimizer) -> list[Tensor | None]:
    """g²/v for each parameter with such a v; an entry that never had a gradient has none."""
    states = [optimizer.state.get(row.parameter, {}) for row in rows]
    counted: dict[int, float] = {}
    ratios: list[Tensor | None] = []
    for row, state in zip(rows, states, strict=True):
        square, gradient = state.get("exp_avg_sq"), row.gradient
        if square is None or gradient is None or square.shape != gradient.shape:
            ratios.append(None)
            continue
        step, group = state.get("step", 0), id(row.group)
        if isinstance(step, Tensor) and step.device.type != "cpu":  # one wait for the device, not one a parameter
            step = counted[group] if group in counted else counted.setdefault(group, float(step))
        share = correction(row.group, float(step))
        ratio = squared_ratio(_part(gradient, row), _part(square, row))  # `square` may be of lower precision
        ratios.append(ratio.mul_(share) if share > 0 else None)
    return ratios


def _part(value: Tensor, row: _Row) -> Tensor:
    """The entries of something of a parameter's shape that are looked at of the parameter."""
    return some(value.contiguous()) if row.seen < row.parameter.numel() else value


def _dense(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def _norms(values: Sequence[Tensor | None]) -> list[Tensor | None]:
    """Norms of all tensors, those of one kind in one call; those that are split over processes are collectives."""
    by_place: list[Tensor | None] = [None] * len(values)
    plain: dict[object, list[tuple[int, Tensor]]] = {}
    for place, value in enumerate(values):
        if value is not None and value.numel() and value.layout == torch.strided:
            if hasattr(value, "full_tensor") or value.dtype not in (torch.float32, torch.float64):
                by_place[place] = _whole(_norm(value, torch.float32))
            else:
                plain.setdefault((value.dtype, value.device), []).append((place, value))
    for group in plain.values():
        kind = None if group[0][1].device.type == "cpu" else wide(group[0][1])  # the CPU takes a second look
        norms = torch._foreach_norm([value for _, value in group], dtype=kind)
        for (place, _), norm in zip(group, norms, strict=True):
            by_place[place] = norm
    return by_place


def _norm(value: Tensor, kind: torch.dtype) -> Tensor:
    return _whole(torch.linalg.vector_norm(value, dtype=kind))


def _whole(value: Tensor) -> Tensor:
    """A number of a sharded tensor is a collective; of a plain one it is itself."""
    return value.full_tensor() if hasattr(value, "full_tensor") else value  # type: ignore[attr-defined]
