"""Robust scaling with a smooth clip: numbers of any size and tail come out of order one.

    z = (x - median) / (q75 - q25),   out = z / sqrt(1 + (z / 3)²)   in (-3, 3), slope 1 at the median

The quartiles ignore outliers, the clip keeps the ones that are left from dominating a layer. Where the quartiles
coincide (mostly one value) half the range is the scale. Source: Holzmüller et al. 2024, arXiv:2407.04491, section 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

CLIP = 3.0  # where the smooth clip levels off, in interquartile ranges
LARGEST = 1e300  # larger numbers count as this, so that no difference overflows
FURTHEST = 1e9  # scaled values beyond this count as this: they are clipped to 3 anyway, and their square stays finite


class ColumnScale(BaseModel):
    """Centre and width of one number feature, in the units of its column."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    center: float
    width: float


def fit_scale(values: NDArray[np.float64]) -> ColumnScale:
    """Compute median and interquartile range of the values that are present; (0, 1) when there are none.

    Example:
        >>> fit_scale(np.array([1.0, 2.0, 3.0, 4.0, 1000.0]))
        ColumnScale(center=3.0, width=2.0)
    """
    present = values[np.isfinite(values)]
    if present.size == 0:
        return ColumnScale(center=0.0, width=1.0)
    present = np.clip(present, -LARGEST, LARGEST)
    low, middle, high = np.quantile(present, [0.25, 0.5, 0.75])
    width = high - low if high > low else (present.max() - present.min()) / 2
    # Differences below the resolution of the values themselves are rounding, not spread.
    resolution = np.finfo(np.float64).eps * max(abs(middle), np.finfo(np.float64).tiny)
    return ColumnScale(center=float(middle), width=float(width) if width > resolution else 1.0)


def apply_scale(values: NDArray[np.float64], scale: ColumnScale) -> NDArray[np.float32]:
    """Scale and smoothly clip values; missing (NaN) stays missing."""
    with np.errstate(over="ignore"):
        z = np.clip((values - scale.center) / scale.width, -FURTHEST, FURTHEST)
    return (z / np.sqrt(1.0 + (z / CLIP) ** 2)).astype(np.float32)
