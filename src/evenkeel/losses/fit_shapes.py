"""A target fits an output when it has the output's last axes: what stands in front is an ensemble, and is shared.

Ordinary broadcasting would also turn (batch, 1) against (batch,) into (batch, batch), the best-known silent error in
regression. Here it is an error.
"""

import torch
from torch import Tensor

from evenkeel.errors import ShapeError


def share(target: Tensor, shape: torch.Size, name: str = "target") -> Tensor:
    """`target` expanded to `shape`, whose last axes it must have."""
    if shape[len(shape) - target.ndim :] != target.shape or target.ndim > len(shape):
        raise ShapeError(
            f"{name} must have the shape of the output, {_show(shape)}, or its last axes, got {_show(target.shape)}; "
            f"try {name}.reshape{_show(shape)}"
        )
    return target.expand(shape)


def class_target(target: Tensor, logits: Tensor) -> Tensor:
    """Whole-number classes for `logits` (..., class): expanded to all axes but the last, as int64."""
    if logits.ndim == 0:
        raise ShapeError("logits must have classes on the last axis, got a single number; try logits.unsqueeze(-1)")
    if target.is_floating_point() or target.is_complex() or target.dtype == torch.bool:
        raise ShapeError(f"target must be whole numbers, one class per row, got {target.dtype}; try target.long()")
    rows = logits.shape[:-1]
    if target.ndim > len(rows) or rows[len(rows) - target.ndim :] != target.shape:
        raise ShapeError(
            f"logits {_show(logits.shape)} have classes on the last axis, so target must have the shape {_show(rows)} "
            f"or its last axes, got {_show(target.shape)}; try logits.movedim(1, -1) if classes are on axis 1"
        )
    return target.long().expand(rows)


def _show(shape: torch.Size) -> str:
    return str(tuple(shape))
