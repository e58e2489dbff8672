"""Predictions and targets as metrics want them: float64 tensors on the CPU, of shapes that agree."""

import numpy as np
import torch
from torch import Tensor

from evenkeel.errors import ShapeError

TensorOrArray = Tensor | np.ndarray
"""What a metric accepts: a tensor or a numpy array."""


def as_tensor(values: TensorOrArray) -> Tensor:
    """The values as a detached tensor on the CPU, in their own dtype."""
    return torch.as_tensor(values).detach().cpu()


def as_double(values: TensorOrArray) -> Tensor:
    """The values as a detached float64 tensor on the CPU."""
    return as_tensor(values).double()


def pair(prediction: TensorOrArray, target: TensorOrArray) -> tuple[Tensor, Tensor]:
    """Prediction and target in float64; they must have one shape."""
    left, right = as_double(prediction), as_double(target)
    if left.shape != right.shape:
        raise ShapeError(
            f"prediction and target must have one shape, got {tuple(left.shape)} and {tuple(right.shape)}; "
            f"try prediction.reshape{tuple(right.shape)}"
        )
    return left, right


def mean(values: Tensor, weight: TensorOrArray | None) -> float:
    """Mean over all elements, rows (axis 0) weighted; NaN of no rows."""
    if weight is None:
        return float(values.mean())
    rows = row_weight(weight, len(values))
    per_row = values.flatten(1).mean(1) if values.ndim > 1 else values
    return float((per_row * rows).sum() / rows.sum())


def row_weight(weight: TensorOrArray | None, rows: int) -> Tensor:
    """One float64 weight per row; ones where there is none."""
    if weight is None:
        return torch.ones(rows, dtype=torch.float64)
    weights = as_double(weight)
    if weights.shape != (rows,):
        raise ShapeError(f"weight must be one number per row, {rows} of them, got shape {tuple(weights.shape)}")
    return weights
