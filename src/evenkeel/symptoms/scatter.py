"""How far numbers lie from their mean: the standard library's own takes a hundred times as long, to be exact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean


def scatter(values: Sequence[float], mean: float | None = None) -> float:
    """The standard deviation of all there is (not of a sample), around `mean` where that is given.

    Example:
        >>> scatter([1.0, 3.0]), scatter([5.0])
        (1.0, 0.0)
    """
    middle = fmean(values) if mean is None else mean
    # `hypot` scales: a loss of 1e200 has a square that is no number any more.
    return math.hypot(*(value - middle for value in values)) / math.sqrt(len(values))
