"""How often predictions of some confidence are right, in bins of equal width."""

from __future__ import annotations

import numpy as np

from evenkeel.page.comparisons import Reliability

BINS = 10


def reliability(confidence: np.ndarray, right: np.ndarray) -> Reliability:
    """Mean confidence, accuracy and count in each bin; empty bins are left out.

    Example:
        >>> reliability(np.array([0.9, 0.95]), np.array([True, False])).accuracy
        [0.5]
    """
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    used = np.unique(place)
    return Reliability(
        confidence=[float(confidence[place == index].mean()) for index in used],
        accuracy=[float(right[place == index].mean()) for index in used],
        count=[int((place == index).sum()) for index in used],
    )
