"""Plain models beside a network on sequences: the nearest neighbour, and a linear model, of all steps side by side.

Sequences of unequal length are first resampled to one length, by straight lines between their steps. Where
each step has an answer, a linear model reads that step and the one before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import Ragged
from evenkeel.heads import HeadPart
from evenkeel.kinds.base import Baseline
from evenkeel.kinds.baselines import NearestNeighbours, baseline, linear_model
from evenkeel.kinds.sequence.schema import SequenceSchema
from evenkeel.shapes import Float, Int, Tensor

COMMON = 32  # steps that sequences of unequal length are brought to
MOST_LABELS = 30  # one model a label: beyond this they take longer than the network


def flat_steps(data: Dataset[SequenceSchema], rows: Tensor) -> np.ndarray:
    """(row, unit): all steps side by side; or (step, unit) where each step has an answer."""
    field = data.inputs["values"]
    if data.schema.answers == "step":
        return _pairs_of_steps(field, rows)
    if not isinstance(field, Ragged):
        return field.index_select(0, rows).flatten(1).numpy()
    return drawn(field.index_select(0, rows), field.lengths[rows]).flatten(1).numpy()


def drawn(
    values: Float[Tensor, "row step channel"], lengths: Int[Tensor, "row"], steps: int = COMMON
) -> Float[Tensor, "row common channel"]:
    """Resample every sequence at `steps` places evenly from its first step to its last.

    Example:
        >>> drawn(torch.tensor([[[1.0], [3.0], [0.0]]]), torch.tensor([2]), 3).flatten().tolist()
        [1.0, 2.0, 3.0]
    """
    place = torch.linspace(0, 1, steps) * (lengths - 1).unsqueeze(1)
    below = place.floor().long()
    above = torch.minimum(below + 1, (lengths - 1).unsqueeze(1))
    share = (place - below).unsqueeze(2)
    low, high = (values.take_along_dim(index.unsqueeze(2), 1) for index in (below, above))
    return low + share * (high - low)


def _pairs_of_steps(field: Any, rows: Tensor) -> np.ndarray:
    """Each real step beside the one before it, zeros before the first."""
    values = field.index_select(0, rows)
    before = torch.cat([torch.zeros_like(values[:, :1]), values[:, :-1]], dim=1)
    both = torch.cat([values, before], dim=2)
    if not isinstance(field, Ragged):
        return both.flatten(0, 1).numpy()
    return both[torch.arange(values.shape[1]) < field.lengths[rows].unsqueeze(1)].numpy()


def _linear(part: HeadPart, data: Dataset[SequenceSchema], seed: int) -> Any:
    many = part.plain is not None and part.plain.each == "label" and len(data.target_schema.levels) > MOST_LABELS
    return None if many else linear_model(part, data, seed)


def _nearest(part: HeadPart, data: Dataset[SequenceSchema], seed: int) -> Any:
    if data.schema.answers == "step" or part.plain is None or part.plain.each == "label":
        return None
    return NearestNeighbours(part.plain, 1)


BASELINES: dict[str, Baseline[SequenceSchema]] = {
    "linear": baseline(_linear, flat_steps),
    "nearest neighbour": baseline(_nearest, flat_steps),
}
