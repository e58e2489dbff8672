"""Small exact summaries of one tensor: size, how alike its examples are, which units are dead or saturated.

    rms        sqrt(mean x²)
    similarity mean over pairs i != j of cos(x_i, x_j), from one pass:  (|sum_i x_i/|x_i||² - B) / (B (B - 1))
    dead       share of units that are exactly zero for every example and position seen

Everything stays a tensor until `numbers` fetches all of it at once: one wait for the device per trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

SATURATION_SLOPE = 0.05
"""An entry is saturated where the activation's slope is below this share of its steepest slope (unit-free)."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Norm (a 0-d tensor), number of entries, and similarity (a 0-d tensor, or None without an axis of examples)."""

    norm: Tensor
    count: int
    similarity: Tensor | None


def norm_of(value: Tensor) -> Tensor:
    """The Euclidean norm over all entries, in float32 at least, as a 0-d tensor."""
    if value.is_sparse:
        value = value.coalesce().values()
    half = value.dtype in (torch.float16, torch.bfloat16)
    return torch.linalg.vector_norm(value.detach(), dtype=torch.float32 if half else None)


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
    rows = value.detach().movedim(axis, 0).reshape(batch, -1)
    return rows.float() if rows.dtype in (torch.float16, torch.bfloat16) else rows


def summarise(value: Tensor, batch: int | None) -> Summary:
    """Norm and similarity of a tensor in two passes over it."""
    rows = example_rows(value, batch)
    if rows is None or rows.shape[0] < 2:
        return Summary(norm=norm_of(value), count=value.numel(), similarity=None)
    lengths = torch.linalg.vector_norm(rows, dim=1)
    norm = torch.linalg.vector_norm(lengths)
    return Summary(norm=norm, count=value.numel(), similarity=mean_cosine(rows, lengths))


def mean_cosine(rows: Tensor, lengths: Tensor) -> Tensor:
    """Mean cosine over pairs of different rows; two rows of zeros count as alike, a zero and another as unlike."""
    examples = rows.shape[0]
    zero = lengths == 0
    inverse = torch.where(zero, torch.zeros_like(lengths), 1 / lengths)
    total = torch.mv(rows.t(), inverse).square().sum()
    zeros = zero.sum()
    return (total - (examples - zeros) + zeros * (zeros - 1)) / (examples * (examples - 1))


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


def dead_share(value: Tensor, layout: str) -> Tensor:
    """Share of units that are exactly zero for all inputs and positions seen, a 0-d tensor in 0..1."""
    axes = unit_axes(value.shape, layout)
    largest = value.detach().abs().amax(dim=axes) if axes else value.detach().abs()
    return (largest == 0).float().mean()


def saturated_share(name: str, output: Tensor) -> Tensor:
    """Share of entries whose slope, known from the activation's output, is below `SATURATION_SLOPE` of the steepest."""
    y = output.detach().float()
    if name == "tanh":
        flat = 1 - y.square() < SATURATION_SLOPE
    elif name == "sigmoid":
        flat = 4 * y * (1 - y) < SATURATION_SLOPE
    else:  # hardtanh, hardsigmoid: exactly flat at the two ends of their range
        flat = (y == y.amin()) | (y == y.amax())
    return flat.float().mean()


def numbers(tensors: Sequence[Tensor]) -> list[float]:
    """All 0-d tensors as Python numbers, with one wait for the device (two where devices are mixed)."""
    if not tensors:
        return []
    home = tensors[0].device
    return torch.stack([tensor.detach().to(home, torch.float64) for tensor in tensors]).tolist()
