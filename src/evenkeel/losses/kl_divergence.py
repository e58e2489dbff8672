"""Kullback-Leibler divergence: what it costs to take Q for P; not symmetric, P comes first.

D(P||Q) = Σ_k p_k (ln p_k - ln q_k)   or   ∫ p(x) (ln p(x) - ln q(x)) dx                  [nats]
Source: Kullback and Leibler 1951, doi:10.1214/aoms/1177729694
"""

import torch
from torch.distributions import Distribution
from torch.distributions import kl_divergence as closed_form

from evenkeel.errors import RequestError
from evenkeel.losses.base import Example, Loss
from evenkeel.losses.integral import kl_integral
from evenkeel.losses.log_probability import DiscreteForm, discrete, times_log_ratio
from evenkeel.losses.module import module_form
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Float, Reduction, Tensor

TOLERANCE = 1e-4
"""Largest estimated error of a numerical integral that is accepted [nats, and relative]."""


def kl_divergence(
    p: Float[Tensor, "*batch label"] | Distribution,
    q: Float[Tensor, "*batch label"] | Distribution,
    *,
    form: DiscreteForm = "probabilities",
    reduction: Reduction = "mean",
) -> Tensor:
    """D(P||Q) in nats, P first: of two tensors (sum over the last axis), or of two torch distributions (the integral).

    One value per row, or per element of the batch shape; the mean is over those. `form` says what tensors hold. Terms
    with p = 0 are 0; q = 0 under p > 0 gives infinity. For distributions the closed form is used where torch has one;
    else the sum over a finite support, or numerical integration, which raises `RequestError` where its error estimate
    exceeds 1e-4.

    Example:
        >>> import torch
        >>> kl_divergence(torch.tensor([[0.5, 0.5]]), torch.tensor([[0.25, 0.75]]))  # ln(4/3) / 2
        tensor(0.1438)

    """
    if isinstance(p, Distribution) and isinstance(q, Distribution):
        return reduce(_of_distributions(p, q), reduction)
    if not isinstance(p, Tensor) or not isinstance(q, Tensor):
        kinds = f"{type(p).__name__} and {type(q).__name__}"
        raise RequestError(f"p and q must both be tensors or both distributions, got {kinds}; try p.probs")
    first, second = discrete(p, form), discrete(q, form)
    return reduce(times_log_ratio(first.probability, first.logarithm, second.logarithm).sum(-1), reduction)


def _of_distributions(p: Distribution, q: Distribution) -> Tensor:
    try:
        return closed_form(p, q)
    except NotImplementedError:
        pass  # no pair of these kinds is registered
    if p.has_enumerate_support:
        support = p.enumerate_support()
        log_p = p.log_prob(support)
        return times_log_ratio(log_p.exp(), log_p, q.log_prob(support)).sum(0)
    integral = kl_integral(p, q)
    if bool((integral.error > TOLERANCE * (1 + integral.value.detach().abs())).any()):
        raise RequestError(
            f"the integral of {type(p).__name__} against {type(q).__name__} did not settle: estimated error "
            f"{float(integral.error.max()):.1e} nats; try a pair with a closed form"
        )
    return integral.value


KlDivergenceLoss = module_form(kl_divergence)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    p, q = torch.randn(2, batch, 4, generator=generator, dtype=torch.float64).to(dtype)
    return Example(output=(p, q), options={"form": "logits"})


KL_DIVERGENCE = Loss(
    name="kl_divergence",
    summary="a distribution that should come close to another",
    source="Kullback and Leibler 1951, doi:10.1214/aoms/1177729694",
    call=kl_divergence,
    expects=("distribution-pair",),
    example=_example,
    each="example",
)
