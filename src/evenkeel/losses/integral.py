"""The Kullback-Leibler integral of two continuous distributions of one variable, with an estimate of its error.

    D(P||Q) = ∫ p(x) (ln p(x) - ln q(x)) dx, x = g(t), by the trapezoidal rule in t
    g(t) = m + s sinh t on the line, low + s exp t on a half-line, low + width σ(t) on an interval; m, s of P

After the substitution the integrand dies away at both ends, where the trapezoidal rule converges faster than any power
of the step (Trefethen and Weideman 2014, doi:10.1137/130932132). The error is what leaving out every other point
changes, plus what is left at the two ends.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from evenkeel.errors import RequestError

POINTS = 4001
"""Points of the rule."""

REACH = 36.0
"""How far t goes: σ(36) is the last number below 1 that float64 tells from it."""


TAIL = 10.0
"""What is left beyond the ends, as a length of t at the height of the last points: tails fall faster than e^(-t/10)."""


@dataclass(frozen=True, kw_only=True)
class Integral:
    """The integral and the estimate of its absolute error, of the distributions' batch shape [nats]."""

    value: Tensor
    error: Tensor


def kl_integral(p: Distribution, q: Distribution) -> Integral:
    """D(P||Q) by quadrature; infinite where Q has no density at a place that P reaches."""
    t = torch.linspace(-REACH, REACH, POINTS, dtype=torch.float64)
    x, slope = _substitute(p, t)
    step = float(t[1] - t[0])
    log_p = p.log_prob(x)
    inside = torch.ones_like(x, dtype=torch.bool) if q.support is None else q.support.check(x)
    log_q = torch.where(inside, q.log_prob(torch.where(inside, x, _somewhere(q))), -torch.inf)
    density = log_p.exp() * slope
    counts = (density > 0) & density.isfinite()
    terms = torch.where(counts, density, 0.0) * torch.where(counts, log_p - log_q, 0.0)
    value = step * terms.sum(0)
    coarse = 2 * step * terms[::2].sum(0)
    return Integral(
        value=value, error=(value - coarse).abs().detach() + TAIL * (terms[0].abs() + terms[-1].abs()).detach()
    )


def _substitute(p: Distribution, t: Tensor) -> tuple[Tensor, Tensor]:
    """The points x (point, *batch) in P's support, and dx/dt; they follow P's scale but not its gradient."""
    if p.event_shape or p.support is None or p.support.is_discrete:
        raise RequestError(
            f"the integral is over one continuous variable, got {type(p).__name__} with events {tuple(p.event_shape)}; "
            "try a pair with a closed form"
        )
    support: Any = p.support
    t = t.reshape(-1, *[1] * len(p.batch_shape))
    centre, scale = (_finite(value, default) for value, default in ((p.mean, 0.0), (p.stddev, 1.0)))
    support = getattr(support, "base_constraint", support)  # a mixture wraps that of its components
    low, high = (getattr(support, name, None) for name in ("lower_bound", "upper_bound"))
    if low is None and high is None and support is constraints.real:
        t = t / 3  # sinh 12 is 80 000 deviations
        return centre + scale * torch.sinh(t), scale * torch.cosh(t) / 3
    if low is not None and high is None:
        size = (centre - low).abs().clamp(min=torch.finfo(torch.float64).tiny)
        return low + size * torch.exp(t), size * torch.exp(t)
    if low is not None and high is not None:
        share = torch.sigmoid(t)
        return low + (high - low) * share, (high - low) * share * torch.sigmoid(-t)
    raise RequestError(f"no rule for the support {p.support} of {type(p).__name__}; try a pair with a closed form")


def _finite(value: Tensor, default: float) -> Tensor:
    value = value.detach().double()
    return torch.where(value.isfinite(), value, default)


def _somewhere(q: Distribution) -> Tensor:
    """A place where Q has a density, to stand in for those where it has none."""
    return _finite(q.mean, 0.0)
