"""Poisson negative log-likelihood: counts whose rate is predicted as a logarithm.

L = exp(x) - y·x  (+ ln y! with constant=True),   x the log-rate, y the count      [nats]
Source: Nelder and Wedderburn 1972, doi:10.2307/2344614
"""

import torch

from evenkeel.losses.base import Example, Loss
from evenkeel.losses.bound import OVERFLOW, bound
from evenkeel.losses.fit_shapes import share
from evenkeel.losses.module import module_form
from evenkeel.losses.precision import widen
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Float, Int, Reduction, Tensor


def poisson_nll(
    log_rate: Float[Tensor, "*output"],
    target: Float[Tensor, "*shared"] | Int[Tensor, "*shared"],
    *,
    constant: bool = False,
    reduction: Reduction = "mean",
) -> Tensor:
    """Negative log-likelihood of counts under Poisson(exp(log_rate)), in nats, one value per element.

    `target` has the shape of the log-rate, or its last axes (shared by an ensemble in front). The mean is over all
    elements. `constant=True` adds ln(target!), which the gradient does not need. A log-rate beyond 60 is bounded
    smoothly, so that it cannot overflow.

    Example:
        >>> import torch
        >>> poisson_nll(torch.zeros(2), torch.tensor([0, 3]))
        tensor(1.)
    """
    log_rate = widen(log_rate)
    count = share(target.to(log_rate), log_rate.shape)
    values = torch.exp(bound(log_rate, OVERFLOW)) - count * log_rate
    return reduce(values + torch.lgamma(count + 1) if constant else values, reduction)


PoissonNllLoss = module_form(poisson_nll)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    log_rate = torch.randn(batch, 2, generator=generator, dtype=torch.float64).to(dtype)
    target = torch.randint(5, (batch, 2), generator=generator)
    return Example(output=(log_rate,), target=(target,), options={"constant": True})


POISSON_NLL = Loss(
    name="poisson_nll",
    summary="counts",
    source="Nelder and Wedderburn 1972, doi:10.2307/2344614",
    call=poisson_nll,
    expects=("log-rate",),
    example=_example,
    each="element",
    ensemble="mean output",
)
