"""Small exact summaries of one tensor: size, how alike its examples are, which units are dead or saturated.

    rms        sqrt(mean x²)
    similarity mean over pairs i != j of cos(x_i, x_j), from one pass:  (|sum_i x_i/|x_i||² - B) / (B (B - 1))
    dead       share of units that are exactly zero for every example and position seen

Everything stays a tensor until `numbers` fetches all of it at once: one wait for the device per trace.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from evenkeel.chain.record.fetch import Fetch

SATURATION_SLOPE = 0.05
"""An entry is saturated where the activation's slope is below this share of its steepest slope (unit-free)."""
SMALL = 1 << 14
"""Entries up to which tensors are copied side by side: that costs less than calls to torch for each of them."""
FEW = 64
"""Examples that a quick look takes from a batch where each is looked at by itself, and"""
ENTRIES = 1 << 15
"""about so many of their entries."""
_PRECISE = (torch.float32, torch.float64)
_SAFE = (1e-15, 1e18)
"""Norms between which no square that counts is lost in float32."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Norm (a 0-d tensor), number of entries, and similarity (a 0-d tensor, or None without an axis of examples)."""

    norm: Tensor
    count: int
    similarity: Tensor | None


def wide(value: Tensor) -> torch.dtype:
    """The type to add squares up in: below 1e-21 and above 1e19 those of float32 are lost (a chain easily gets there).

    Apple's GPUs know no float64.
    """
    if value.is_complex():
        return torch.complex128
    return torch.float32 if value.device.type == "mps" else torch.float64


def norm_of(value: Tensor) -> Tensor:
    """The Euclidean norm over all entries, as a 0-d tensor."""
    if value.layout is not torch.strided:
        value = value.coalesce().values() if value.is_sparse else value.to_dense()
    return torch.linalg.vector_norm(value.detach(), dtype=wide(value))


def quick_norm(value: Tensor) -> Tensor:
    """As `norm_of` in float32: four times faster, and of no use outside `sound`."""
    if value.layout is not torch.strided:
        return norm_of(value)
    return torch.linalg.vector_norm(value.detach(), dtype=None if value.dtype in _PRECISE else torch.float32)


def sound(norm: float) -> bool:
    """Whether a norm lies where float32 loses no square that counts."""
    return _SAFE[0] < norm < _SAFE[1]


def few(rows: Tensor) -> Tensor:
    """The first examples of a batch: enough to tell how alike they are (a mean over 2016 pairs of them)."""
    return rows[:FEW]


def sample(value: Tensor, batch: int | None) -> tuple[Tensor, float]:
    """Some entries of the first examples as a matrix (a single row without an axis of examples).

    And by what its norm is multiplied to stand for that of the whole.
    """
    rows = example_rows(value, batch)
    part = value.detach().reshape(1, -1) if rows is None else few(rows)
    stride = part.numel() // ENTRIES | 1  # odd, so that it never keeps in step with the units of a layer
    part = part[:, ::stride]
    return part, math.sqrt(value.numel() / max(part.numel(), 1))


def summarise_samples(samples: Sequence[tuple[Tensor, float]]) -> list[Summary]:
    """As `summarise` for each sample, in float32; those of one shape and type are stacked and looked at together."""
    groups: dict[object, list[int]] = {}
    for place, (rows, _) in enumerate(samples):
        groups.setdefault((rows.shape, rows.dtype, rows.device), []).append(place)
    summaries: list[Summary | None] = [None] * len(samples)
    for places in groups.values():
        rows = torch.stack([samples[place][0] for place in places])
        rows = rows.float() if rows.dtype in (torch.float16, torch.bfloat16) else rows
        lengths = torch.linalg.vector_norm(rows, dim=2)
        alike = _cosines(rows, lengths) if rows.shape[1] > 1 else [None] * len(places)
        for place, norm, cosine in zip(places, torch.linalg.vector_norm(lengths, dim=1).unbind(), alike, strict=True):
            summaries[place] = Summary(norm=norm * samples[place][1], count=rows[0].numel(), similarity=cosine)
    return [summary for summary in summaries if summary is not None]


class Norms:
    """The norms of many tensors, asked for without waiting: in float32 on the CPU, and where its squares may be lost
    once more in float64; on other devices in float64 at once, so that no tensor is held until the numbers are there.
    """

    def __init__(self, values: Sequence[Tensor]) -> None:
        plain = [value.detach() for value in values if value.layout == torch.strided and value.dtype in _PRECISE]
        same = len(plain) == len(values) and len({(value.dtype, value.device) for value in plain}) == 1
        self._held = plain if same and plain[0].device.type == "cpu" else []
        kind = None if self._held or not same else wide(plain[0])
        norms = torch._foreach_norm(plain, dtype=kind) if same else [norm_of(value) for value in values]
        self._fetch = Fetch(norms)

    @property
    def ready(self) -> bool:
        """Whether `numbers` would not wait."""
        return self._fetch.ready

    def numbers(self) -> list[float]:
        """The norms."""
        norms = self._fetch.numbers()
        for place, value in enumerate(self._held):
            if not sound(norms[place]):
                norms[place] = float(norm_of(value))
        return norms


def norms_of(values: Sequence[Tensor]) -> list[float]:
    """The norms of many tensors as numbers."""
    return Norms(values).numbers()


def example_axis(shape: Sequence[int], batch: int | None) -> int | None:
    """Which axis counts the examples: the first of the batch's length, or axis 0 where rows are folded into it.

    Example:
        >>> example_axis((32, 8), 32), example_axis((4, 32, 8), 32), example_axis((320, 8), 32), example_axis((7,), 32)
        (0, 1, 0, None)
    """
    if batch is None or len(shape) < 1 or 0 in shape:
        return None
    if batch in shape:
        return list(shape).index(batch)
    return 0 if len(shape) > 1 and shape[0] % batch == 0 else None


def example_rows(value: Tensor, batch: int | None) -> Tensor | None:
    """The tensor as one row an example (batch, everything else), or None where no axis counts the examples."""
    axis = example_axis(value.shape, batch)
    if axis is None or batch is None:
        return None
    rows = value.detach()
    rows = torch.view_as_real(rows) if rows.is_complex() else rows
    rows = (rows.movedim(axis, 0) if axis else rows).reshape(batch, -1)
    return rows.float() if rows.dtype in (torch.float16, torch.bfloat16) else rows


def summarise(value: Tensor, batch: int | None) -> Summary:
    """Norm and similarity of a tensor in two passes over it."""
    rows = example_rows(value, batch)
    if rows is None or rows.shape[0] < 2:
        return Summary(norm=norm_of(value), count=value.numel(), similarity=None)
    lengths = torch.linalg.vector_norm(rows, dim=1, dtype=wide(rows))
    norm = torch.linalg.vector_norm(lengths)
    return Summary(norm=norm, count=value.numel(), similarity=mean_cosine(rows, lengths))


def summarise_all(values: Sequence[Tensor], batch: int | None) -> list[Summary]:
    """As `summarise` for each; small tensors of one shape and type are stacked first and looked at together."""
    summaries: list[Summary | None] = [None] * len(values)
    groups: dict[object, list[int]] = {}
    for place, value in enumerate(values):
        if batch is not None and value.ndim == 2 and value.shape[0] == batch > 1 and value.numel() <= SMALL:
            groups.setdefault((value.shape, value.dtype, value.device), []).append(place)
    for places in [part for group in groups.values() for part in _parts(group, SMALL // values[group[0]].numel())]:
        rows = torch.stack([values[place].detach() for place in places])
        rows = rows.float() if rows.dtype in (torch.float16, torch.bfloat16) else rows
        lengths = torch.linalg.vector_norm(rows, dim=2, dtype=wide(rows))
        together = zip(places, torch.linalg.vector_norm(lengths, dim=1).unbind(), _cosines(rows, lengths), strict=True)
        for place, norm, similarity in together:
            summaries[place] = Summary(norm=norm, count=rows[0].numel(), similarity=similarity)
    return [summarise(value, batch) if one is None else one for value, one in zip(values, summaries, strict=True)]


def _parts(group: list[int], size: int) -> list[list[int]]:
    return [group[start : start + size] for start in range(0, len(group), size)]


def mean_cosine(rows: Tensor, lengths: Tensor) -> Tensor:
    """Mean cosine over pairs of different rows; two rows of zeros count as alike, a zero and another as unlike."""
    return _cosines(rows[None], lengths[None])[0]


def _cosines(rows: Tensor, lengths: Tensor) -> Sequence[Tensor]:
    """The mean cosine of each of several (tensor, example, entry)."""
    examples = rows.shape[1]
    inverse = lengths.to(rows.dtype).clamp_min(torch.finfo(rows.dtype).tiny).reciprocal()
    total = torch.bmm(inverse[:, None], rows).square().sum(dim=(1, 2))
    zeros = (lengths == 0).sum(dim=1, dtype=rows.dtype)
    return torch.addcmul(total, zeros, zeros).sub(examples).div(examples * (examples - 1)).unbind()


def unit_axes(shape: Sequence[int], layout: str) -> list[int]:
    """The axes to reduce over so that one number a unit is left: channels in images, the last axis elsewhere.

    With the layout "members" (networks of one ensemble side by side) each network's units count for themselves.
    """
    if layout == "convolution" and len(shape) >= 3:
        return [axis for axis in range(len(shape)) if axis != 1]
    kept = {len(shape) - 1}
    if layout == "members" and len(shape) == 3:
        kept.add(0)
    return [axis for axis in range(len(shape)) if axis not in kept]


def dead_share(value: Tensor, layout: str, signs: Literal["any", "positive"] = "any") -> Tensor:
    """Share of units that are exactly zero for all inputs and positions seen, a 0-d tensor in 0..1.

    `signs`: of the values that the activation can have.
    """
    axes = unit_axes(value.shape, layout)
    sizes = value.detach() if signs == "positive" else value.detach().abs()
    largest = sizes.amax(dim=axes) if axes else sizes
    return (largest == 0).float().mean()


def saturated_share(output: Tensor, name: str, bounds: tuple[float, float] = (-1.0, 1.0)) -> Tensor:
    """Share of entries whose slope, known from the activation's output, is below `SATURATION_SLOPE` of the steepest.

    `bounds` are those of a hardtanh; from 0 on (ReLU6) only the upper one counts, since zeros are what a ReLU is for.
    """
    y = output.detach().float()
    if name == "tanh":
        flat = 1 - y.square() < SATURATION_SLOPE
    elif name == "sigmoid":
        flat = 4 * y * (1 - y) < SATURATION_SLOPE
    elif name == "hardsigmoid":
        flat = (y <= 0) | (y >= 1)
    else:
        low, high = bounds
        flat = y >= high if low == 0 else (y <= low) | (y >= high)
    return flat.float().mean()


def numbers(tensors: Sequence[Tensor]) -> list[float]:
    """All 0-d tensors as Python numbers, with one wait for the device for each type of number."""
    return Fetch(tensors).numbers()
