"""Notes on the gaps of sequences: how many values are missing or infinite, in how many sequences.

A missing value counts as the mean of its channel, and is marked beside it where training has gaps in that channel. Data
with gaps train, however many there are; a sequence without any number at all is refused.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from evenkeel.errors import DataError
from evenkeel.kinds.sequence.schema import Sequences

MANY = 0.5  # a share of gaps above which a reader is warned


def gap_notes(sequences: Sequences, rows: NDArray[np.int64] | None = None) -> tuple[str, ...]:
    """Notes on the gaps of some sequences (of all without `rows`); none where nothing is missing.

    Example:
        >>> import polars as pl
        >>> values, starts = torch.tensor([[1.0], [float("nan")], [3.0], [4.0]]), torch.tensor([0, 2, 4])
        >>> sequences = Sequences(values=values, starts=starts, channels=("x",), table=pl.DataFrame({"of": [0, 1]}))
        >>> gap_notes(sequences)[0]
        '1 of 4 values (25 %) is missing, in 1 of 2 sequences; a gap counts as the mean of its channel.'
    """
    gaps, infinite, row_of = _gaps(sequences, _chosen(sequences, rows))
    missing, total, height = int(gaps.sum()), gaps.numel(), len(_chosen(sequences, rows))
    if not missing:
        return ()
    within = len(row_of[gaps.any(1)].unique())
    notes = [
        f"{missing} of {total} values {_share(missing, total)} {_is(missing)} missing, in {within} of {height} "
        "sequences; a gap counts as the mean of its channel."
    ]
    many = int(infinite.sum())
    if many:
        notes.append(f"{many} of these {_is(many)} infinite and {'counts' if many == 1 else 'count'} as missing.")
    if missing > MANY * total:
        notes.append("More than half of the values are missing: what is learned rests on few numbers.")
    return tuple(notes)


def require_numbers(sequences: Sequences, rows: NDArray[np.int64] | None = None) -> None:
    """Refuse a sequence that holds no number at all.

    Raises:
        DataError: the first such sequence, by its place among all that were read and by its name where it has one.
    """
    chosen = _chosen(sequences, rows)
    gaps, _, row_of = _gaps(sequences, chosen)
    numbered = torch.zeros(len(sequences), dtype=torch.bool)
    numbered[row_of[~gaps.all(1)]] = True
    empty = [int(row) for row in chosen.tolist() if not numbered[row]]
    if not empty:
        return
    name = f" ({sequences.names[empty[0]]!r})" if sequences.names is not None else ""
    more = len(empty) - 1
    others = "" if not more else ", nor does 1 other" if more == 1 else f", nor do {more} others"
    raise DataError(
        f"sequence {empty[0]}{name} holds no number in any channel{others}; expected at least one finite value in each "
        "sequence; leave such sequences out"
    )


def _chosen(sequences: Sequences, rows: NDArray[np.int64] | None) -> torch.Tensor:
    return torch.arange(len(sequences)) if rows is None else torch.as_tensor(rows, dtype=torch.int64)


def _gaps(sequences: Sequences, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of the steps of some sequences: what is missing, what of it is infinite, and the sequence of each step."""
    values = sequences.values if len(rows) == len(sequences) else sequences.values[sequences.places(rows.numpy())]
    return ~values.isfinite(), values.isinf(), rows.repeat_interleave(sequences.lengths[rows])


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _share(part: int, total: int) -> str:
    """A share in per cent, in brackets."""
    percent = 100 * part / total
    return f"({percent:.0f} %)" if percent >= 10 else f"({percent:.2g} %)"
