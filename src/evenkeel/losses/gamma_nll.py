"""Gamma negative log-likelihood: positive values whose spread grows with their size (prices, durations).

    y ~ Gamma(shape k, mean m),  k = exp(log_shape), m = exp(log_mean), r = ln(y / m); std / mean is 1/√k
    L = k (exp(r) - 1 - r) + ln y + [ln Γ(k) - k ln k + k]                               [nats]

The bracket is a difference of large numbers once k is large, so from k = 16 on it is Stirling's series,
ln(2π / k) / 2 + 1/(12 k) - 1/(360 k³) + 1/(1260 k⁵).      Source: McCullagh and Nelder 1989, ch. 8
"""

import math

import torch

from evenkeel.losses.base import Example, Loss
from evenkeel.losses.bound import OVERFLOW, bound
from evenkeel.losses.fit_shapes import share
from evenkeel.losses.module import module_form
from evenkeel.losses.precision import widen
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Float, Reduction, Tensor

SERIES_FROM = 16.0
"""Shape from which Stirling's series replaces ln Γ: its next term, 1/(1680 k⁷), is below 3e-12 there."""


def gamma_nll(
    log_mean: Float[Tensor, "*output"],
    log_shape: Float[Tensor, "*spread"],
    target: Float[Tensor, "*shared"],
    *,
    reduction: Reduction = "mean",
) -> Tensor:
    """Negative log-likelihood of positive targets under a gamma distribution, in nats, one value per element.

    The mean is over all elements. `log_shape` and `target` have the shape of `log_mean`, or its last axes (shared; a
    number makes one shape for all). `log_shape` beyond ±20 and ln(target / mean) beyond ±60 are bounded smoothly. A
    target of 0 or less has no density: the loss is then not finite.

    Example:
        >>> import torch
        >>> gamma_nll(torch.zeros(2), torch.zeros(2), torch.tensor([1.0, 3.0]))  # shape 1: exponential of mean 1
        tensor(2.)
    """
    log_mean = widen(log_mean)
    logarithm = share(bound(widen(log_shape)), log_mean.shape, "log_shape")
    log_target = torch.log(share(target.to(log_mean), log_mean.shape))
    ratio = bound(log_target - log_mean, OVERFLOW)
    values = torch.exp(logarithm) * (torch.expm1(ratio) - ratio) + log_target + _log_normaliser(logarithm)
    return reduce(values, reduction)


def _log_normaliser(log_shape: Tensor) -> Tensor:
    """The bracket ln Γ(k) - k ln k + k, each branch kept inside the range where its own gradient is finite."""
    shape = torch.exp(log_shape)
    small = shape.clamp(max=SERIES_FROM)
    inverse = 1 / shape.clamp(min=SERIES_FROM)
    direct = torch.lgamma(small) - small * torch.log(small) + small
    tail = inverse / 12 - inverse**3 / 360 + inverse**5 / 1260
    return torch.where(shape < SERIES_FROM, direct, 0.5 * (math.log(2 * math.pi) - log_shape) + tail)


GammaNllLoss = module_form(gamma_nll)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    log_mean, log_shape, noise = torch.randn(3, batch, 2, generator=generator, dtype=torch.float64).to(dtype)
    return Example(output=(log_mean, log_shape), target=(noise.exp(),))


GAMMA_NLL = Loss(
    name="gamma_nll",
    summary="positive values whose spread grows with their size",
    source="McCullagh and Nelder 1989, Generalized Linear Models, ch. 8",
    call=gamma_nll,
    expects=("log-gamma",),
    example=_example,
    each="element",
)
