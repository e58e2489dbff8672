"""Negative log-likelihood of the target under predicted probabilities, which come as logarithms, in nats.

L = -log p(target);   under a log-softmax it is cross-entropy               Source: Fisher 1922
"""

from typing import Protocol, runtime_checkable

import torch

from evenkeel.losses.base import Example, Loss
from evenkeel.losses.fit_shapes import class_target
from evenkeel.losses.module import module_form
from evenkeel.losses.precision import widen
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Float, Reduction, Shaped, Tensor


@runtime_checkable
class _HasLogProbability(Protocol):
    """An object with `log_prob`: torch's distributions, and those a head predicts."""

    def log_prob(self, value: Tensor, /) -> Tensor: ...


def nll(
    log_probability_or_distribution: Float[Tensor, "*output label"] | _HasLogProbability,
    target: Shaped[Tensor, "*shared"],
    *,
    reduction: Reduction = "mean",
) -> Tensor:
    """Negative log-likelihood of `target`, in nats.

    Either log-probabilities with classes on the last axis against whole-number classes (all other axes, or the last of
    them), or a distribution against values it can score. With `reduction="none"` there is one value per row, and for a
    distribution one per element of its batch shape; the mean is over those.

    Example:
        >>> import torch
        >>> nll(torch.tensor([[0.25, 0.75]]).log(), torch.tensor([0]))  # ln 4
        tensor(1.3863)
    """
    predicted = log_probability_or_distribution
    if not isinstance(predicted, Tensor):
        return reduce(-widen(predicted.log_prob(target)), reduction)
    log_probability = widen(predicted)
    classes = class_target(target, log_probability)
    return reduce(-log_probability.gather(-1, classes.unsqueeze(-1)).squeeze(-1), reduction)


NllLoss = module_form(nll)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    logits = torch.randn(batch, 4, generator=generator, dtype=torch.float64)
    target = torch.randint(4, (batch,), generator=generator)
    return Example(output=(logits.log_softmax(-1).to(dtype),), target=(target,))


NLL = Loss(
    name="nll",
    summary="any distribution, or ready log-probabilities",
    source="Fisher 1922, doi:10.1098/rsta.1922.0009",
    call=nll,
    expects=("log-probability",),
    example=_example,
    each="example",
)
