"""Which rows train, which decide when to stop, and which are never touched until the end.

*Training* rows give the weights and every statistic, *validation* rows decide early stopping and recalibrate
intervals, *test* rows give the reported figures. Splits: `random` (stratified where the target is a class),
`time:COL` (the newest rows are the test), `group:COL` (no group in two parts), or given row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenkeel.errors import DataError, RequestError

Rows = NDArray[np.int64]
PARTS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Split:
    """Row numbers of each part, ascending, and one line on how they were chosen."""

    train: Rows
    validation: Rows
    test: Rows
    how: str

    def __post_init__(self) -> None:
        if not len(self.train):
            raise DataError(
                f"no row is left for training ({self.how}); lower `validation` and `test`, or bring more rows"
            )


def random_split(
    rows: int, *, validation: float, test: float, seed: int, classes: NDArray[np.int64] | None = None
) -> Split:
    """Random parts; with `classes` every class is spread over the parts in proportion, small ones to training first."""
    generator = np.random.default_rng([seed, 1])
    order = generator.permutation(rows)
    if classes is None:
        ranks = np.arange(rows) / rows
        how = "random"
    else:
        order = order[np.argsort(classes[order], kind="stable")]
        # Within each class the ranks run from 0 to 1, so that any threshold cuts every class alike.
        _, starts, counts = np.unique(classes[order], return_index=True, return_counts=True)
        ranks = (np.arange(rows) - np.repeat(starts, counts)) / np.repeat(counts, counts)
        how = "random, stratified by class"
    return _cut(order, ranks, validation=validation, test=test, how=how)


def time_split(times: NDArray[np.float64], *, validation: float, test: float, column: str) -> Split:
    """The oldest rows train, the newest are the test, so that nothing of the future is known in training."""
    order = np.argsort(times, kind="stable")
    ranks = np.arange(len(times)) / len(times)
    return _cut(order, ranks, validation=validation, test=test, how=f"by time ({column}), the newest rows as test")


def group_split(groups: Sequence[object], *, validation: float, test: float, seed: int, column: str) -> Split:
    """Whole groups, drawn at random until each part has its share of the rows."""
    names, index = np.unique(np.asarray([str(group) for group in groups]), return_inverse=True)
    if len(names) < len([share for share in (1.0, validation, test) if share > 0]):
        raise DataError(f"split by group needs more groups than parts; {column!r} has {len(names)}")
    place = np.random.default_rng([seed, 2]).permutation(len(names))[index]
    order = np.argsort(place, kind="stable")
    # All rows of a group take the rank of the group's middle row, so that no cut falls inside a group.
    counts = np.bincount(place, minlength=len(names))
    middles = (np.cumsum(counts) - counts / 2) / len(index)
    return _cut(order, middles[place[order]], validation=validation, test=test, how=f"by group ({column})")


def given_split(parts: Mapping[str, Sequence[int]] | Sequence[str], rows: int) -> Split:
    """Parts as a mapping of row numbers, or one word (`train`, `validation`, `test`) for each row."""
    if not isinstance(parts, Mapping):
        words = np.asarray([str(word) for word in parts])
        unknown = sorted(set(words) - set(PARTS))
        if len(words) != rows or unknown:
            raise RequestError(f"expected {rows} words out of {PARTS}, got {len(words)}, unknown: {unknown[:5]}")
        parts = {part: np.flatnonzero(words == part).tolist() for part in PARTS}
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise RequestError(f"a given split has the parts {PARTS}, got {unknown}")
    chosen = {part: np.sort(np.asarray(parts.get(part, ()), dtype=np.int64)) for part in PARTS}
    together = np.concatenate(list(chosen.values()))
    if len(np.unique(together)) != len(together) or (len(together) and (together.min() < 0 or together.max() >= rows)):
        raise RequestError(f"a given split must name each of the rows 0..{rows - 1} at most once")
    return Split(**chosen, how="given")


def _cut(order: NDArray[np.int64], ranks: NDArray[np.float64], *, validation: float, test: float, how: str) -> Split:
    """Cut rows in `order` by their rank in [0, 1): training first, then validation, then test."""
    if validation < 0 or test < 0 or validation + test >= 1:
        raise RequestError(f"validation + test must be in [0, 1), got {validation:g} + {test:g}; try 0.15 and 0.15")
    first, second = 1 - validation - test, 1 - test
    # A guard against 0.7000000001: ranks are multiples of 1/rows, far coarser than this.
    part = np.digitize(ranks, [first - 1e-9, second - 1e-9])
    train, middle, last = (np.sort(order[part == number]).astype(np.int64) for number in range(3))
    return Split(train=train, validation=middle, test=last, how=how)
