"""Discrete distributions brought to one form: logarithms of probabilities over the last axis, and the probabilities."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from evenkeel.losses.precision import widen

DiscreteForm = Literal["probabilities", "log-probabilities", "logits"]
"""What the numbers of a discrete distribution are; logits are normalised here, the others must be already."""


class Discrete(NamedTuple):
    """Probabilities and their logarithms, of one shape."""

    probability: Tensor
    logarithm: Tensor


def discrete(values: Tensor, form: DiscreteForm) -> Discrete:
    """Both forms in float32 or float64; the logarithm of 0 is -inf, with gradient 0."""
    values = widen(values)
    if form == "probabilities":
        possible = values > 0
        return Discrete(values, torch.where(possible, torch.where(possible, values, 1.0).log(), -torch.inf))
    logarithm = torch.log_softmax(values, -1) if form == "logits" else values
    return Discrete(logarithm.exp(), logarithm)


def times_log_ratio(probability: Tensor, over: Tensor, under: Tensor) -> Tensor:
    """P · (over - under) for logarithms, and 0 with gradient 0 where p is 0 (0 · log 0 = 0)."""
    counts = probability > 0
    ratio = torch.where(counts, over, 0.0) - torch.where(counts, under, 0.0)
    return torch.where(counts, probability, 0.0) * ratio
