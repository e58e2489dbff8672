"""Split that a graph brings along: its parts must be disjoint; a missing test part is drawn from the rest.

train alone              validation and test come from all other nodes that have an answer
train and validation     test comes from them
train and test           stays as it is: validation is drawn from the nodes that train, as of any explicit split
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from evenkeel.errors import DataError


@dataclass(frozen=True, kw_only=True)
class CompletedSplit:
    """Row numbers of each part, and a sentence about the drawn ones, if any."""

    parts: Mapping[str, np.ndarray]
    note: str | None = None


def check_apart(parts: Mapping[str, np.ndarray], names: Mapping[str, str]) -> None:
    """Refuse parts that share a row; `names` are their names in the source.

    Raises:
        DataError: two parts share a row.
    """
    for one, other in combinations(parts, 2):
        both = np.intersect1d(parts[one], parts[other])
        if len(both):
            raise DataError(
                f"{names[one]} and {names[other]} share {len(both)} node(s), such as node {both[0]}; a node may be in "
                "one of them only"
            )


def complete(
    parts: Mapping[str, np.ndarray], labelled: np.ndarray, *, validation: float, test: float, seed: int
) -> CompletedSplit:
    """Complete parts by a test part, drawn from the rows that are in none.

    Args:
        parts: row numbers; `train` is there.
        labelled: rows that have an answer.
        validation: requested share, here relative to that of the test; 0: none is drawn.
        test: the same.
        seed: of the draw.

    Example:
        >>> completed = complete({"train": np.arange(4)}, np.arange(10), validation=0.1, test=0.2, seed=0)
        >>> {part: len(rows) for part, rows in completed.parts.items()}
        {'train': 4, 'validation': 2, 'test': 4}
    """
    present = {part: rows for part, rows in parts.items() if len(rows)}
    rest = np.setdiff1d(labelled, np.concatenate(list(parts.values())))
    if "test" in present or not len(rest) or validation + test == 0:
        return CompletedSplit(parts=parts)
    share = 0.0 if "validation" in present else validation / (validation + test)
    order = np.random.default_rng([seed, 4]).permutation(rest)
    cut = round(share * len(order))
    drawn = {"validation": np.sort(order[:cut]), "test": np.sort(order[cut:] if test else order[:0])}
    drawn = {part: rows for part, rows in drawn.items() if len(rows)}
    counts = " and ".join(f"{len(rows)} for {part}" for part, rows in drawn.items())
    note = (
        f"The data mark no nodes for {' or '.join(drawn)}: drawn from the {len(rest)} others with an answer, {counts}."
    )
    return CompletedSplit(parts={**parts, **drawn}, note=note if drawn else None)
