"""Gaussian negative log-likelihood: a value and how sure the network is of it, learned together.

L = (s + (y - m)² / exp(s)) / 2,   m the mean, s the log-variance, y the target      [nats, without ln(2π) / 2]
beta-NLL: L · stop_gradient(exp(s))^beta, so that hard examples keep their gradient
Source: Nix and Weigend 1994; beta: Seitzer et al. 2022, arXiv:2203.09168
"""

import math

import torch

from evenkeel.losses.base import Example, Loss
from evenkeel.losses.bound import bound
from evenkeel.losses.fit_shapes import share
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.precision import widen
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Float, Int, Reduction, Tensor

CONSTANT = 0.5 * math.log(2 * math.pi)
"""What the formula leaves out of the density [nats per element]."""


def gaussian_nll(
    mean: Float[Tensor, "*output"],
    log_variance: Float[Tensor, "*spread"],
    target: Float[Tensor, "*shared"] | Int[Tensor, "*shared"],
    *,
    beta: PlainNumber = 0.0,
    constant: bool = False,
    reduction: Reduction = "mean",
) -> Tensor:
    """Negative log-likelihood of `target` under Normal(mean, exp(log_variance)), in nats, one value per element.

    `log_variance` and `target` have the shape of the mean, or its last axes (shared by an ensemble in front). A
    log-variance beyond ±20 is bounded smoothly, so that it can neither overflow nor lose its gradient. `beta` 0.5 is
    the usual choice where the mean fits badly; `constant=True` adds ln(2π) / 2, for comparison with other densities.
    The mean is over all elements, whatever beta.

    Example:
        >>> import torch
        >>> gaussian_nll(torch.zeros(2), torch.zeros(2), torch.tensor([0.0, 2.0]))
        tensor(1.)
    """
    mean, spread = widen(mean), bound(widen(log_variance))
    spread = share(spread, mean.shape, "log_variance")
    error = share(target.to(mean), mean.shape) - mean
    values = 0.5 * (spread + error**2 * torch.exp(-spread))
    values = values + CONSTANT if constant else values
    return reduce(values * torch.exp(beta * spread.detach()) if beta else values, reduction)


GaussianNllLoss = module_form(gaussian_nll)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    mean, log_variance, target = torch.randn(3, batch, 2, generator=generator, dtype=torch.float64).to(dtype)
    return Example(output=(mean, log_variance), target=(target,), options={"constant": True})


GAUSSIAN_NLL = Loss(
    name="gaussian_nll",
    summary="a value with its uncertainty",
    source="Nix and Weigend 1994, doi:10.1109/ICNN.1994.374138; beta: Seitzer et al. 2022, arXiv:2203.09168",
    call=gaussian_nll,
    expects=("gaussian",),
    example=_example,
    each="element",
    ensemble="mixture",
)
