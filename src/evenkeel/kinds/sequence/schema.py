"""Sequences of numbers, of equal or unequal length, and what is learned of them: centre and width of each channel.

    encoded = (value - mean) / deviation, 0 where a value is missing;   one more channel of 0 and 1 marks the gaps of a
                                                                        channel that has some in the training rows

All steps of all sequences lie in one tensor (place, channel), sequence after sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from evenkeel.data.columns import Column
from evenkeel.data.fields import Fields, Ragged, places_of
from evenkeel.data.schema import DataSchema, Frozen
from evenkeel.errors import DataError
from evenkeel.shapes import Float, Int, Tensor

AnswersPer = Literal["example", "step"]
KnownSteps = Literal["both", "past"]
LENGTH = "number of steps"  # of each sequence: a column beside the answers
# A deviation below this share of the mean's size is the rounding of the mean, not a spread.
RESOLUTION = 1e-12


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """Sequences as they were read.

    Args:
        values: (place, channel) of all sequences, one after the other; what is not finite is missing.
        starts: (row + 1,) where each sequence begins.
        channels: their names.
        table: one row a sequence: what may say how to split and to weight, and the answers where there is one each.
        steps: the answers of every step, one row a place; None where each sequence has one.
        target: names of the answers' columns; none where there are no answers.
        wide: columns of a wide table that are the steps.
        answer_kind: whether the source declares its answers to be classes or numbers.
        names: of a long table, the name of each series (row,).
        times: of a long table with a column of time, that of each step (place,).
        left_out: columns that are not read, with the reason.
        notes: sentences about what was left out.
    """

    values: Float[Tensor, "place channel"]
    starts: Int[Tensor, "end"]
    channels: tuple[str, ...]
    table: pl.DataFrame
    steps: pl.DataFrame | None = None
    target: tuple[str, ...] = ()
    wide: tuple[str, ...] = ()
    answer_kind: Literal["class", "target"] | None = None
    names: pl.Series | None = None
    times: pl.Series | None = None
    left_out: tuple[Column, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Int[Tensor, "row"]:
        """Steps of each sequence."""
        return self.starts.diff()

    def places(self, rows: Sequence[int] | NDArray[np.int64]) -> Int[Tensor, "place"]:
        """Places of all steps of some rows."""
        return places_of(self.starts, torch.as_tensor(rows, dtype=torch.int64))


class Channel(Frozen):
    """One channel: its mean and deviation in the training rows, and whether its gaps have a channel of their own."""

    name: str
    center: float
    width: float
    gaps: Literal["marked", "filled"]


class SequenceSchema(DataSchema):
    """The channels in training, and how new sequences are read.

    `answers`: one for each sequence or for each step; `direction`: which steps a step's features may know; `series`
    and `time` are the columns of a long table, `steps` those of a wide one, whose rows are sequences of one channel.
    """

    kind: str = "sequence"
    channels: tuple[Channel, ...]
    answers: AnswersPer
    direction: KnownSteps
    series: str | None = None
    time: str | None = None
    steps: tuple[str, ...] = ()

    @property
    def inputs(self) -> int:
        """Number of channels that the network reads."""
        return len(self.channels) + sum(channel.gaps == "marked" for channel in self.channels)


def fit_channels(sequences: Sequences, train: NDArray[np.int64]) -> tuple[Channel, ...]:
    """Mean and deviation of each channel over the steps of the training rows.

    Raises:
        DataError: no channel has a value there.

    Example:
        >>> values, starts = torch.tensor([[1.0], [3.0], [float("nan")]]), torch.tensor([0, 2, 3])
        >>> sequences = Sequences(values=values, starts=starts, channels=("x",), table=pl.DataFrame({"of": [0, 1]}))
        >>> fit_channels(sequences, np.array([0, 1]))
        (Channel(name='x', center=2.0, width=1.0, gaps='marked'),)
    """
    known = sequences.values[sequences.places(train)].double()
    finite = known.isfinite()
    if not finite.any():
        raise DataError("the sequences hold no number in the training rows; expected finite values")
    count = finite.sum(0).clamp(min=1)
    clean = known.where(finite, 0.0)
    center = clean.sum(0) / count
    deviation = (((clean - center) ** 2 * finite).sum(0) / count).sqrt()
    width = deviation.where(deviation > RESOLUTION * center.abs(), 1.0)
    return tuple(
        Channel(
            name=name,
            center=float(center[index]),
            width=float(width[index]) or 1.0,
            gaps="filled" if finite[:, index].all() else "marked",
        )
        for index, name in enumerate(sequences.channels)
    )


def encode_sequences(schema: SequenceSchema, sequences: Sequences, rows: NDArray[np.int64] | None = None) -> Fields:
    """`values` (row, step, channel), and `lengths` where they differ.

    Args:
        schema: of the training rows.
        sequences: sequences with the same channels.
        rows: which of them, all without.

    Raises:
        DataError: other channels than in training.
    """
    if len(sequences.channels) != len(schema.channels):
        raise DataError(
            f"expected sequences of {len(schema.channels)} channel(s) as in training, got {len(sequences.channels)}; "
            "an array is (row, step, channel)"
        )
    values, lengths = sequences.values, sequences.lengths
    if rows is not None and len(rows) < len(sequences):
        values, lengths = values[sequences.places(rows)], lengths[torch.as_tensor(rows)]
    encoded = _scaled(schema, values)
    if len(lengths) and bool((lengths == lengths[0]).all()):
        return {"values": encoded.view(len(lengths), int(lengths[0]), schema.inputs)}
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
    return {"values": Ragged(encoded, starts), "lengths": lengths}


def _scaled(schema: SequenceSchema, values: Float[Tensor, "place channel"]) -> Float[Tensor, "place unit"]:
    """Standard units, 0 for gaps, then a mark for each gap of the channels that have marks."""
    marked = [index for index, channel in enumerate(schema.channels) if channel.gaps == "marked"]
    encoded = torch.empty(len(values), schema.inputs)
    for index, channel in enumerate(schema.channels):
        column = (values[:, index].double() - channel.center) / channel.width
        encoded[:, index] = column.where(column.isfinite(), 0.0)
    for place, index in enumerate(marked, start=len(schema.channels)):
        encoded[:, place] = ~values[:, index].isfinite()
    return encoded


def columns_of(sequences: Sequences) -> tuple[Column, ...]:
    """Describe each channel for the report, and the columns that are not read."""
    least, most = (int(end) for end in sequences.lengths.aminmax())
    steps = f"{least} steps" if least == most else f"{least} to {most} steps"
    missing = (~sequences.values.isfinite()).sum(0).tolist()
    channels = (
        Column(name=name, kind="sequence", missing=count, examples=(steps, _ends(sequences.values[:, index])))
        for index, (name, count) in enumerate(zip(sequences.channels, missing, strict=True))
    )
    return (*channels, *sequences.left_out)


def _ends(values: Float[Tensor, "place"]) -> str:
    """The range of a channel in words."""
    finite = values[values.isfinite()]
    return f"{float(finite.min()):.4g} to {float(finite.max()):.4g}" if len(finite) else "no value"
