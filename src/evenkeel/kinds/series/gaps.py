"""Leave out windows of series with too many gaps: none is scored on steps to come that were filled in.

A gap in the past is filled with the value before it, a fair guess as an input; as an answer it would be made up. A
window of which more than half is filled says too little of its series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenkeel.errors import DataError

MOST_OF_WINDOW = 0.5  # share of the values of a window that may be missing


@dataclass(frozen=True, kw_only=True)
class Usable:
    """`keep` (start, channel) marks the windows to take; `ahead` and `behind` count the others by their gaps."""

    keep: NDArray[np.bool_]
    ahead: int
    behind: int

    @property
    def text(self) -> str:
        """Counts of what is left out, in words."""
        reasons = [
            f"{self.ahead} with gaps in the steps to come" if self.ahead else "",
            f"{self.behind} that are missing for more than half" if self.behind else "",
        ]
        return " and ".join(reason for reason in reasons if reason)


def usable_windows(missing: NDArray[np.bool_], starts: NDArray[np.int64], window: int, horizon: int) -> Usable:
    """Mark the windows whose steps to come are all present and of which not more than half is missing.

    Args:
        missing: whether a value was filled in, (time, channel).
        starts: first steps of windows.
        window: steps that are read.
        horizon: steps to come.

    Example:
        >>> gap = np.array([[False], [False], [False], [True], [False]])
        >>> usable_windows(gap, np.arange(3), 2, 1).keep[:, 0].tolist()
        [True, False, True]
    """
    count = np.concatenate([np.zeros((1, missing.shape[1]), np.int64), missing.cumsum(0)])
    ahead = count[starts + window + horizon] > count[starts + window]
    behind = count[starts + window] - count[starts] > MOST_OF_WINDOW * window
    return Usable(keep=~(ahead | behind), ahead=int(ahead.sum()), behind=int((behind & ~ahead).sum()))


def require_windows(usable: Usable, part: str) -> None:
    """Refuse a part of which every window is left out.

    Raises:
        DataError: no window can be used.
    """
    if usable.keep.size and not usable.keep.any():
        raise DataError(
            f"none of the {usable.keep.size} windows of {part} can be used: {usable.text}; fill the gaps, try a "
            "smaller horizon, or begin after them"
        )


def require_known(missing: NDArray[np.bool_], names: tuple[str, ...]) -> None:
    """Refuse to forecast from windows, (step, channel), of which one is missing for more than half.

    Raises:
        DataError: a column lacks too many values.
    """
    count = missing.sum(0)
    worst = int(count.argmax())
    if count[worst] > MOST_OF_WINDOW * len(missing):
        raise DataError(
            f"column {names[worst]!r} misses {count[worst]} of the last {len(missing)} values, more than half of the "
            "window that is read: too little to forecast from; bring these values, or end the table before they stop"
        )
