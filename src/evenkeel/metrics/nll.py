"""Negative log-likelihood: how surprised the predicted distributions are by what came.

NLL = -Σ w log p(target) / Σ w   [nats; of the density in the target's units]        Source: Good 1952
"""

from typing import Any

from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import normals
from evenkeel.metrics.gather import TensorOrArray, as_tensor, mean


def nll(distribution: Any, target: TensorOrArray, weight: TensorOrArray | None = None) -> float:
    """Mean of `-distribution.log_prob(target)`, rows on axis 0, in nats.

    Example:
        >>> import torch
        >>> round(nll(torch.distributions.Normal(torch.zeros(2), 1.0), torch.zeros(2)), 4)  # ln(2π) / 2
        0.9189

    """
    return mean(-as_tensor(distribution.log_prob(as_tensor(target))).double(), weight)


NLL = Metric(
    name="nll",
    summary="surprise of the predicted distributions at what came",
    source="Good 1952, Rational decisions",
    call=nll,
    expects=("distribution",),
    better="lower",
    example=normals,
    explanation="surprise at the truth, in nats; lower is better",
)
