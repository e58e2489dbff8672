"""Splits of the rows into training, validation and test.

*Training* rows give the weights and every statistic, *validation* rows decide early stopping and recalibrate
intervals, *test* rows give the reported figures. Splits: `random` (stratified where the target is a class),
`time:COL` (the newest rows are the test), `group:COL` (no group in two parts), or explicit, row by row.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenkeel.errors import DataError, RequestError

Rows = NDArray[np.int64]
# Row numbers of each part, or one word for each row.
GivenParts = Mapping[str, Sequence[int] | NDArray[Any]] | Sequence[str] | NDArray[Any]
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
    """Draw random parts; with `classes` each class is spread over them in proportion, small ones to training first.

    Example:
        >>> split = random_split(100, validation=0.1, test=0.2, seed=0)
        >>> len(split.train), len(split.validation), len(split.test)
        (70, 10, 20)
    """
    _require_shares(validation, test)
    generator = np.random.default_rng([seed, 1])
    order = generator.permutation(rows)
    if classes is None:
        return _cut(order, validation=validation, test=test, how="random")
    members = [order[classes[order] == code] for code in generator.permutation(np.unique(classes))]
    # Rounding errors of one class are carried over to the next.
    taken = {"validation": [], "test": []}
    owing = {"validation": 0.0, "test": 0.0}
    for chosen in members:
        left = len(chosen) - 1  # at least one row of each class trains
        for part, share in (("test", test), ("validation", validation)):
            owing[part] += len(chosen) * share
            take = max(0, min(round(owing[part]), math.ceil(len(chosen) * share - 1e-9), left))
            taken[part].append(chosen[left - take + 1 : left + 1])
            owing[part] -= take
            left -= take
    held = {part: np.concatenate(pieces) for part, pieces in taken.items()}
    return _parts(np.arange(rows), **held, how="random, stratified by class")


def time_split(times: NDArray[np.float64], *, validation: float, test: float, column: str) -> Split:
    """Split by time: the oldest rows train, the newest are the test, so that training knows nothing of the future."""
    _require_shares(validation, test)
    order = np.argsort(times, kind="stable")
    return _cut(order, validation=validation, test=test, how=f"by time ({column}), the newest rows as test")


def group_split(groups: Sequence[object], *, validation: float, test: float, seed: int, column: str) -> Split:
    """Draw whole groups at random, as near to the shares as possible; a part with a share above 0 gets at least one."""
    _require_shares(validation, test)
    names, index = np.unique(np.asarray([str(group) for group in groups]), return_inverse=True)
    shares = {part: share for part, share in (("test", test), ("validation", validation)) if share > 0}
    if len(names) < 1 + len(shares):
        raise DataError(
            f"split by group needs at least {1 + len(shares)} groups, {column!r} has {len(names)}; "
            "set test or validation to 0, or split by another column"
        )
    sizes = np.bincount(index)
    waiting = np.random.default_rng([seed, 2]).permutation(len(names)).tolist()
    held: dict[str, Rows] = {"validation": np.empty(0, np.int64), "test": np.empty(0, np.int64)}
    for later, (part, share) in enumerate(shares.items()):
        chosen = _fill(waiting, sizes, share * len(index), spare=len(shares) - later)
        waiting = [group for group in waiting if group not in chosen]
        held[part] = np.flatnonzero(np.isin(index, list(chosen)))
    return _parts(np.arange(len(index)), **held, how=f"by group ({column})")


def _fill(waiting: Sequence[int], sizes: NDArray[np.int64], wanted: float, spare: int) -> set[int]:
    """Choose, in order, groups that bring a part nearer to the wanted rows; at least `spare` groups must remain."""
    chosen: set[int] = set()
    have = 0
    for group in waiting:
        if len(waiting) - len(chosen) > spare and sizes[group] < 2 * (wanted - have):
            chosen.add(group)
            have += int(sizes[group])
    return chosen or {min(waiting, key=lambda group: sizes[group])}


def given_split(parts: GivenParts, *, rows: Rows, height: int) -> Split:
    """Split by a mapping of row numbers, or by one word (`train`, `validation`, `test`) for each row.

    Row numbers count in the original table, which had `height` rows; those without a target drop out, `rows` stay.
    There may also be one word for each of the rows that stay.
    """
    named: Mapping[str, Any] = parts if isinstance(parts, Mapping) else _parts_of_words(parts, rows, height)
    unknown = sorted(set(named) - set(PARTS))
    if unknown:
        raise RequestError(f"a given split has the parts {PARTS}, got {unknown}")
    chosen = {part: np.asarray(named.get(part, ())) for part in PARTS}
    together = np.concatenate([numbers for numbers in chosen.values() if numbers.size] or [np.empty(0, np.int64)])
    if together.dtype.kind not in "iu" or together.ndim != 1:
        raise RequestError(f"a given split lists row numbers, got values of type {together.dtype}; try np.flatnonzero")
    if len(np.unique(together)) != len(together) or (
        len(together) and not 0 <= together.min() <= together.max() < height
    ):
        raise RequestError(f"a given split must name each of the rows 0..{height - 1} at most once")
    return Split(**{part: np.flatnonzero(np.isin(rows, numbers)) for part, numbers in chosen.items()}, how="given")


def with_validation(
    split: Split,
    *,
    share: float,
    seed: int,
    classes: NDArray[np.int64] | None = None,
    groups: NDArray[np.int64] | None = None,
) -> Split:
    """Draw validation rows from the training rows of a split that has none; return any other split as it is.

    With `classes` each is drawn from in proportion, with `groups` each is drawn whole.
    """
    if len(split.validation) or share == 0:
        return split
    known = None if classes is None else classes[split.train]
    if groups is not None:
        names = groups[split.train].tolist()
        drawn = group_split(names, validation=share, test=0.0, seed=seed, column="the training rows")
    else:
        drawn = random_split(len(split.train), validation=share, test=0.0, seed=seed, classes=known)
    return Split(
        train=split.train[drawn.train],
        validation=split.train[drawn.validation],
        test=split.test,
        how=f"{split.how}, validation drawn from the training rows",
    )


def _parts_of_words(parts: Sequence[str] | NDArray[Any], rows: Rows, height: int) -> dict[str, Rows]:
    """Collect the row numbers of each word."""
    try:
        words = np.asarray([str(word) for word in parts])
    except TypeError as problem:
        raise RequestError(
            "split must be 'random', 'time:COLUMN', 'group:COLUMN', a word for each row, or a mapping of row numbers, "
            f"got {parts!r}"
        ) from problem
    unknown = sorted(set(words.tolist()) - set(PARTS))
    if len(words) not in (height, len(rows)):
        raise RequestError(f"expected {height} words out of {PARTS}, one for each row, got {len(words)}")
    if unknown:
        raise RequestError(f"expected words out of {PARTS}, got {unknown[:5]}")
    numbers = np.arange(height) if len(words) == height else rows
    return {part: numbers[words == part] for part in PARTS}


def _require_shares(validation: float, test: float) -> None:
    """Refuse shares that leave nothing for training."""
    numbers = isinstance(validation, (int, float)) and isinstance(test, (int, float))
    if not (numbers and validation >= 0 and test >= 0 and validation + test < 1):
        raise RequestError(f"validation + test must be in [0, 1), got {validation} + {test}; try 0.15 and 0.15")


def _cut(order: NDArray[np.int64], *, validation: float, test: float, how: str) -> Split:
    """Cut an order: the first rows train, the next validate, the last test, each part rounded to whole rows."""
    tested = round(len(order) * test)
    kept = len(order) - tested - round(len(order) * validation)
    return _parts(order, validation=order[kept : len(order) - tested], test=order[len(order) - tested :], how=how)


def _parts(rows: Rows, *, validation: Rows, test: Rows, how: str) -> Split:
    """Build the split in which all rows that are not held out train."""
    train = np.setdiff1d(rows, np.concatenate([validation, test]))
    return Split(train=train, validation=np.sort(validation), test=np.sort(test), how=how)
