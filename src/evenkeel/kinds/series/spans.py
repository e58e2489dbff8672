"""Split the steps of a series into training, validation and test by time, and only by time.

A window of validation or test may look back into the part before it, as it will in use; what is to be forecast lies in
its own part, and no training window reaches beyond the training part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenkeel.data.dataset import SplitRequest
from evenkeel.data.split import PARTS, given_split
from evenkeel.errors import DataError, RequestError


@dataclass(frozen=True, kw_only=True)
class Spans:
    """The steps of each part, in this order in time, and a line on how they were chosen."""

    train: range
    validation: range
    test: range
    how: str


def spans_of(request: SplitRequest, places: NDArray[np.int64], length: int, time: str) -> Spans:
    """Split steps: the oldest train, the newest are the test; or by the row numbers of each part, each in one piece.

    Args:
        request: shares, or row numbers of each part.
        places: the step at which each row of the table stands.
        length: steps there are.
        time: name of the time column.

    Raises:
        RequestError: another way to split, shares that leave nothing, or parts that are out of order.

    Example:
        >>> spans_of(SplitRequest(validation=0.2, test=0.2), np.arange(10), 10, "day").validation
        range(6, 8)
    """
    if not isinstance(request.how, str):
        return _row_spans(request, places, length)
    if request.how not in ("random", f"time:{time}"):
        raise RequestError(
            f"a forecast is split by time alone, got split={request.how!r}; leave it out, or give the rows of each part"
        )
    if not (request.validation >= 0 and request.test >= 0 and request.validation + request.test < 1):
        raise RequestError(
            f"validation + test must be in [0, 1), got {request.validation} + {request.test}; try 0.15 and 0.15"
        )
    tested, held = round(length * request.test), round(length * request.validation)
    first = length - tested - held
    return Spans(
        train=range(first),
        validation=range(first, first + held),
        test=range(first + held, length),
        how=f"by time ({time}), the newest steps as test",
    )


def _row_spans(request: SplitRequest, places: NDArray[np.int64], length: int) -> Spans:
    """Convert row numbers of each part to spans of steps; without validation rows the end of training serves."""
    split = given_split(request.how, rows=np.arange(len(places)), height=len(places))  # type: ignore[arg-type]
    spans: dict[str, range] = {}
    before = 0
    for part in PARTS:
        rows = getattr(split, part)
        if not len(rows):
            spans[part] = range(before, before)
            continue
        start, stop = max(int(places[rows[0]]), 0), int(places[rows[-1]]) + 1
        if rows[-1] - rows[0] + 1 != len(rows) or start < before:
            raise RequestError(
                f"the parts of a series must be in one piece each and follow each other: train, validation, test; "
                f"the {len(rows)} rows of {part} lie between {rows[0]} and {rows[-1]}"
            )
        spans[part], before = range(start, stop), stop
    if not len(spans["validation"]) and request.validation:
        cut = spans["train"].stop - round(len(spans["train"]) * request.validation)
        spans["validation"], spans["train"] = range(cut, spans["train"].stop), range(spans["train"].start, cut)
    return Spans(**spans, how="given")


def window_starts(span: range, window: int, horizon: int, part: str, *, most: int | None = None) -> NDArray[np.int64]:
    """First steps of the windows of a part, at most about so many, evenly spread.

    Raises:
        DataError: the part has no room for a window and what follows it.

    Example:
        >>> window_starts(range(10), 4, 2, "train").tolist(), window_starts(range(10, 13), 4, 2, "test").tolist()
        ([0, 1, 2, 3, 4], [6, 7])
    """
    if part != "train" and not len(span):
        return np.empty(0, np.int64)
    first = span.start if part == "train" else max(span.start - window, 0)
    last = span.stop - window - horizon
    if last < first:
        needed = f"window + horizon = {window + horizon}" if part == "train" else f"the horizon {horizon}"
        raise DataError(
            f"the {part} part has {len(span)} steps, fewer than {needed}; "
            "try a smaller horizon or window, other shares, or bring more rows"
        )
    starts = np.arange(first, last + 1)
    return starts if most is None else starts[:: max(1, -(-len(starts) // max(most, 1)))]
