"""Pictures of sequences in a report: some of the test part as lines, with truth and prediction of each."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from evenkeel.data.dataset import Dataset
from evenkeel.kinds.base import Shown
from evenkeel.kinds.sequence.schema import SequenceSchema
from evenkeel.page import Section
from evenkeel.page.sequences import ShownSequence, sequences_section
from evenkeel.shapes import Tensor

SHOWN_SEQUENCES, SHOWN_NUMBERS = 400, 100_000  # of the test part that are kept


def keep_sequences(dataset: Dataset[SequenceSchema], rows: Tensor) -> Mapping[str, Tensor]:
    """The first test sequences, in units of the deviation, for the report's pictures."""
    lengths, channels = _lengths(dataset, rows), len(dataset.schema.channels)
    count = int((lengths.cumsum(0) * channels <= SHOWN_NUMBERS).sum())
    chosen = rows[: min(count, SHOWN_SEQUENCES)]
    if not len(chosen):
        return {}
    values = dataset.inputs["values"].index_select(0, chosen)[..., :channels]
    return {"values": values, "lengths": lengths[: len(chosen)]}


def _lengths(dataset: Dataset[SequenceSchema], rows: Tensor) -> Tensor:
    """Number of steps of some sequences."""
    if "lengths" in dataset.inputs:
        return dataset.inputs["lengths"].index_select(0, rows)
    return torch.full((len(rows),), dataset.inputs["values"].index_select(0, rows[:1]).shape[1])


def sequence_pictures(sample: Shown[SequenceSchema]) -> Section | None:
    """The kept sequences; with truth and prediction where each has one answer."""
    if "values" not in sample.tensors:
        return None
    answers = sample.answers if sample.schema.answers == "example" else None
    sequences = [
        ShownSequence(values=values[:length])
        if answers is None
        else ShownSequence(
            values=values[:length],
            truth=answers.truth[row],
            prediction=answers.prediction[row],
            miss=float(answers.miss[row]),
            right=None if answers.right is None else bool(answers.right[row]),
        )
        for row, (values, length) in enumerate(zip(sample.tensors["values"], sample.tensors["lengths"], strict=True))
    ]
    return sequences_section(sequences, [channel.name for channel in sample.schema.channels])
