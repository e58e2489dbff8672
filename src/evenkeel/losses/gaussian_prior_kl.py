"""The regulariser of a latent code: how far its normal distributions are from the standard normal prior.

L = Σ_d (exp(s_d) + m_d² - 1 - s_d) / 2,   m the mean, s the log-variance, d the latent dimensions   [nats]
free bits: a dimension whose mean over the batch is below the allowance counts as the allowance, without a gradient
Source: Kingma and Welling 2014, arXiv:1312.6114; free bits: Kingma et al. 2016, arXiv:1606.04934
"""

import torch

from evenkeel.losses.base import Example, Loss
from evenkeel.losses.bound import bound
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.precision import widen
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Float, Reduction, Tensor


def gaussian_prior_kl(
    mean: Float[Tensor, "*batch unit"],
    log_variance: Float[Tensor, "*batch unit"],
    *,
    free_bits: PlainNumber = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    """KL of Normal(mean, exp(log_variance)) from Normal(0, 1), summed over the latent axis; one value per example.

    The mean is over examples. `free_bits` is an allowance per latent dimension, in nats, against a code that collapses
    onto its prior. A log-variance beyond ±20 is bounded smoothly.

    Example:
        >>> import torch
        >>> gaussian_prior_kl(torch.ones(3, 4), torch.zeros(3, 4))  # four dimensions of 1/2
        tensor(2.)

    """
    mean, spread = widen(mean), bound(widen(log_variance))
    each = 0.5 * (torch.expm1(spread) - spread + mean**2)
    if free_bits:
        used = each.detach().reshape(-1, each.shape[-1]).mean(0) > free_bits
        each = torch.where(used, each, free_bits)
    return reduce(each.sum(-1), reduction)


GaussianPriorKlLoss = module_form(gaussian_prior_kl)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    mean, log_variance = torch.randn(2, batch, 3, generator=generator, dtype=torch.float64).to(dtype)
    return Example(output=(mean, log_variance))


GAUSSIAN_PRIOR_KL = Loss(
    name="gaussian_prior_kl",
    summary="a latent code kept near the standard normal (VAE)",
    source="Kingma and Welling 2014, arXiv:1312.6114; free bits: Kingma et al. 2016, arXiv:1606.04934",
    call=gaussian_prior_kl,
    expects=("latent",),
    example=_example,
    each="example",
)
