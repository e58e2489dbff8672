"""Jensen-Shannon divergence: the distance of two distributions from their mixture; symmetric at equal weights.

JS(P, Q) = w D(P||M) + (1 - w) D(Q||M),  M = w P + (1 - w) Q;   at most ln 2 for w = 1/2             [nats]
ln M = ln(exp(ln w + ln P) + exp(ln(1 - w) + ln Q)), never by way of M itself
Source: Lin 1991, doi:10.1109/18.61115
"""

import math

import torch

from evenkeel.errors import RequestError
from evenkeel.losses.base import Example, Loss
from evenkeel.losses.log_probability import Discrete, DiscreteForm, discrete, times_log_ratio
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Float, Reduction, Tensor


def js_divergence(
    p: Float[Tensor, "*batch label"],
    q: Float[Tensor, "*batch label"],
    *,
    weight: PlainNumber = 0.5,
    form: DiscreteForm = "probabilities",
    reduction: Reduction = "mean",
) -> Tensor:
    """Jensen-Shannon divergence of discrete distributions over the last axis, in nats; one value per row.

    `weight` is the share of P in the mixture, between 0 and 1; `form` says what the tensors hold. The mean is over
    rows.

    Example:
        >>> import torch
        >>> js_divergence(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]))  # nothing in common: ln 2
        tensor(0.6931)

    """
    if not 0 < weight < 1:
        raise RequestError(f"weight must lie between 0 and 1, got {weight:g}; try weight=0.5")
    first, second = discrete(p, form), discrete(q, form)
    mixture = _log_mixture(first, second, weight)
    from_p = times_log_ratio(first.probability, first.logarithm, mixture)
    from_q = times_log_ratio(second.probability, second.logarithm, mixture)
    return reduce((weight * from_p + (1 - weight) * from_q).sum(-1), reduction)


def _log_mixture(first: Discrete, second: Discrete, weight: PlainNumber) -> Tensor:
    """ln(w P + (1 - w) Q); where both are impossible some finite number, which nothing multiplies but 0."""
    neither = (first.logarithm == -torch.inf) & (second.logarithm == -torch.inf)
    left = torch.where(neither, 0.0, first.logarithm + math.log(weight))
    return torch.logaddexp(left, torch.where(neither, 0.0, second.logarithm + math.log1p(-weight)))


JsDivergenceLoss = module_form(js_divergence)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    p, q = torch.randn(2, batch, 4, generator=generator, dtype=torch.float64).to(dtype)
    return Example(output=(p, q), options={"form": "logits", "weight": 0.3})


JS_DIVERGENCE = Loss(
    name="js_divergence",
    summary="two distributions that should come close to each other",
    source="Lin 1991, doi:10.1109/18.61115",
    call=js_divergence,
    expects=("distribution-pair",),
    example=_example,
    each="example",
)
