"""A scale: where a value of the data stands along an axis in pixels, linear or logarithmic.

    linear:       position = start + (stop - start) · (value - low) / (high - low)          [pixels]
    logarithmic:  the same of log10(value), log10(low), log10(high)

A scale is a value: `fit_scale` makes one around data, `stretch` lays it along other pixels. Whatever the data hold
(nothing, one number, a constant, NaN, infinities, zeros on a logarithmic axis), `low < high` and both are finite.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from evenkeel.errors import DataError
from evenkeel.svg.text import NumberLike
from evenkeel.svg.ticks import Tick, linear_ticks, log_ticks

ScaleKind = Literal["linear", "log"]
NumbersLike = Sequence[NumberLike | None] | np.ndarray

LARGEST = 1e300  # beyond it a difference of two numbers would overflow
SMALLEST_LOG = 1e-300
CONSTANT = 1e-9  # a range below this share of the values themselves is drawn as a constant
ROOM = 0.04  # of the range, left free at both ends so that no point lies on the frame


@dataclass(frozen=True, kw_only=True)
class AxisScale:
    """Data from `low` to `high` laid along pixels `start` to `stop` (a vertical axis has start below stop).

    Example:
        >>> position(AxisScale(low=0.0, high=10.0, start=0.0, stop=100.0), 2.5)
        25.0

    """

    low: NumberLike
    high: NumberLike
    start: NumberLike = 0.0
    stop: NumberLike = 1.0
    kind: ScaleKind = "linear"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise DataError(f"a scale needs finite low < high, got {self.low} and {self.high}; fit_scale makes them so")
        if self.kind == "log" and self.low <= 0:
            raise DataError(f"a log scale needs low > 0, got {self.low}; fit_scale leaves out what is not positive")


def numbers(values: NumbersLike) -> np.ndarray:
    """Any sequence as a flat float64 array; `None` becomes NaN, and sizes beyond 1e300 (not infinities) are capped.

    Example:
        >>> numbers([1, None, 2.5])
        array([1. , nan, 2.5])

    """
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    return np.where(np.isinf(flat), flat, np.clip(flat, -LARGEST, LARGEST))


def drawable(values: NumbersLike, kind: ScaleKind = "linear") -> np.ndarray:
    """Which values a scale of this kind can show: finite ones, and on a logarithmic scale positive ones.

    Example:
        >>> drawable([1.0, 0.0, float("nan")], "log")
        array([ True, False, False])

    """
    flat = numbers(values)
    return np.isfinite(flat) & (flat > SMALLEST_LOG if kind == "log" else True)


def fit_scale(
    groups: Iterable[NumbersLike],
    *,
    kind: ScaleKind = "linear",
    include: Sequence[NumberLike] = (),
    room: NumberLike = ROOM,
    start: NumberLike = 0.0,
    stop: NumberLike = 1.0,
) -> AxisScale:
    """The scale that shows every drawable value of all groups and the values in `include`.

    Example:
        >>> scale = fit_scale([[1.0, 3.0], [float("nan")]], include=[0], room=0.0)
        >>> scale.low, scale.high
        (0.0, 3.0)

    """
    pooled = np.concatenate([numbers(include), *(numbers(group) for group in groups)])
    pooled = pooled[drawable(pooled, kind)]
    low, high = _ends(pooled, kind)
    if kind == "log":
        spare = room * (np.log10(high) - np.log10(low))
        low = min(low, 10.0 ** max(np.log10(low) - spare, np.log10(SMALLEST_LOG)))
        high = max(high, 10.0 ** min(np.log10(high) + spare, np.log10(LARGEST)))
    else:
        spare = room * (high - low)
        low, high = low - spare * (low not in include), high + spare * (high not in include)
    return AxisScale(low=float(low), high=float(high), start=float(start), stop=float(stop), kind=kind)


def _ends(pooled: np.ndarray, kind: ScaleKind) -> tuple[NumberLike, NumberLike]:
    """The least and greatest value, moved apart where there is nothing, one value or a constant."""
    if pooled.size == 0:
        return (0.1, 1.0) if kind == "log" else (0.0, 1.0)
    low, high = float(pooled.min()), float(pooled.max())
    if high - low > CONSTANT * max(abs(low), abs(high)):
        return low, high
    if kind == "log":
        return low / 2, high * 2
    spread = 0.1 * max(abs(low), abs(high)) or 1.0
    spread = spread if spread > np.finfo(float).tiny else 1.0
    return low - spread, high + spread


def stretch(scale: AxisScale, start: NumberLike, stop: NumberLike) -> AxisScale:
    """The same scale laid along other pixels.

    Example:
        >>> stretch(AxisScale(low=0.0, high=1.0), 300.0, 20.0).start
        300.0

    """
    return replace(scale, start=float(start), stop=float(stop))


def positions(scale: AxisScale, values: NumbersLike) -> np.ndarray:
    """Where the values stand, in pixels; NaN where a value cannot be drawn.

    Example:
        >>> positions(AxisScale(low=1.0, high=100.0, start=0.0, stop=100.0, kind="log"), [10.0, 0.0])
        array([50., nan])

    """
    flat = numbers(values)
    seen = drawable(flat, scale.kind)
    safe = np.where(seen, flat, scale.low)
    low, high = scale.low, scale.high
    if scale.kind == "log":
        safe, low, high = np.log10(safe), np.log10(low), np.log10(high)
    along = scale.start + (scale.stop - scale.start) * (safe - low) / (high - low)
    return np.where(seen, along, np.nan)


def position(scale: AxisScale, value: NumberLike) -> float:
    """Where one value stands, in pixels.

    Example:
        >>> position(AxisScale(low=0.0, high=4.0, start=10.0, stop=50.0), 1)
        20.0

    """
    return float(positions(scale, [value])[0])


def ticks(scale: AxisScale, most: int = 6) -> list[Tick]:
    """The round numbers along a scale, at most about `most`.

    Example:
        >>> [tick.label for tick in ticks(AxisScale(low=0.0, high=50_000.0), 3)]
        ['0', '25k', '50k']

    """
    make = log_ticks if scale.kind == "log" else linear_ticks
    return make(scale.low, scale.high, most)
