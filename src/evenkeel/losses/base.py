"""The record each loss file ends with: what the loss is for, and which outputs of a network it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Generator, Tensor

from evenkeel.parts import Part

LossInput = Literal[
    "value",  # (prediction,) against a target of the same shape
    "gaussian",  # (mean, log_variance)
    "log-gamma",  # (log_mean, log_shape)
    "log-rate",  # (log_rate,) against counts
    "logits",  # (logits,) with classes on the last axis, against whole numbers
    "binary-logits",  # (logits,), one per label, against floats 0..1 of the same shape
    "log-probability",  # (log_probability,) or a distribution
    "embedding-pairs",  # (left, right): row i of one belongs to row i of the other
    "embedding-triplets",  # (anchor, positive, negative)
    "embedding-labels",  # (embedding,) against whole numbers that say who belongs together
    "similarity",  # (similarity,), a ready matrix
    "distribution-pair",  # (p, q)
    "latent",  # (mean, log_variance) of a code that a prior regularises
    "features",  # (features, weight): what stands before the last linear layer
]


@dataclass(frozen=True, kw_only=True)
class Example:
    """One small call of a loss: `call(*output, *target, **options)`; gradients flow to `output` only."""

    output: tuple[Tensor, ...]
    target: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


MakeLossExample = Callable[[int, Generator, torch.dtype], Example]
"""(batch, generator, dtype) -> Example: a random call with `batch` rows, for tests and for the docs."""


@dataclass(frozen=True, kw_only=True)
class Loss(Part):
    """A loss: `call` computes it, `expects` says which outputs it takes, `example` makes a small random call.

    `each` says what one value of `reduction="none"` belongs to; `batch` whether that value depends on the other rows of
    the batch; `derivatives` whether the gradient can itself be differentiated. `ensemble` says how several networks are
    judged as one: by their mean output, by the likelihood of the mixture, or by the mean of their losses.

    Example:
        >>> from evenkeel import losses
        >>> losses.PARTS["gaussian_nll"].expects
        ('gaussian',)
    """

    call: Callable[..., Tensor]
    expects: tuple[LossInput, ...]
    example: MakeLossExample
    each: Literal["element", "example"]
    batch: Literal["independent", "joint"] = "independent"
    derivatives: Literal["any order", "first order"] = "any order"
    ensemble: Literal["mean output", "mixture", "mean loss"] = "mean loss"

    @property
    def takes_target(self) -> bool:
        """Whether the loss takes a target beside the outputs that it compares."""
        return bool(self.example(2, Generator().manual_seed(0), torch.float32).target)
