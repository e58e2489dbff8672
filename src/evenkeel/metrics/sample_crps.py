"""The continuous ranked probability score per row: closed forms, samples, and quantiles for everything else.

CRPS(F, y) = ∫ (F(x) - [x >= y])² dx = E|X - y| - E|X - X'| / 2 = 2 ∫ pinball_q(Q(q), y) dq     [units of the target]
normal:    σ (z (2 Φ(z) - 1) + 2 φ(z) - 1/√π),  z = (y - μ) / σ
mixture:   Σ w_i A(y - μ_i, σ_i²) - ½ ΣΣ w_i w_j A(μ_i - μ_j, σ_i² + σ_j²),  A(d, v) = d (2 Φ(d/√v) - 1) + 2 √v φ(d/√v)
Source: Gneiting and Raftery 2007, doi:10.1198/016214506000001437; mixture: Grimit et al. 2006, doi:10.1256/qj.05.235
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import MixtureSameFamily, Normal

from evenkeel.metrics.gather import as_double
from evenkeel.metrics.quantile import quantiles

QUANTILES = 400
"""Gauss-Legendre nodes between 0 and 1: error below 1e-4 σ for a normal (the integrand has one kink)."""


def crps_of_normals(mean: Tensor, std: Tensor, target: Tensor) -> Tensor:
    """CRPS of Normal(mean, std), elementwise, in closed form."""
    return _expected_distance(target - mean, std) - std / math.sqrt(math.pi)


def crps_of_mixtures(weight: Tensor, mean: Tensor, std: Tensor, target: Tensor) -> Tensor:
    """CRPS of a mixture of normals with its components on the last axis, in closed form; target without that axis."""
    near = (weight * _expected_distance(target.unsqueeze(-1) - mean, std)).sum(-1)
    difference = mean.unsqueeze(-1) - mean.unsqueeze(-2)
    spread = torch.hypot(std.unsqueeze(-1), std.unsqueeze(-2))
    pairs = weight.unsqueeze(-1) * weight.unsqueeze(-2) * _expected_distance(difference, spread)
    return near - 0.5 * pairs.sum((-1, -2))


def crps_of_samples(sample: Tensor, target: Tensor) -> Tensor:
    """CRPS of the empirical distribution of samples (sample, row): E|X - y| - E|X - X'| / 2, sorted, in n log n."""
    count = len(sample)
    ordered = sample.sort(0).values
    rank = torch.arange(1, count + 1, dtype=sample.dtype).reshape(-1, *[1] * (sample.ndim - 1))
    half_spread = ((2 * rank - count - 1) * ordered).sum(0) / count**2
    return (sample - target).abs().mean(0) - half_spread


def crps_of_distribution(distribution: Any, target: Tensor) -> Tensor:
    """CRPS per row of any predicted distribution: closed form where there is one, quantiles elsewhere."""
    if isinstance(distribution, Normal):
        return crps_of_normals(as_double(distribution.mean), as_double(distribution.stddev), target)
    if isinstance(distribution, MixtureSameFamily) and isinstance(distribution.component_distribution, Normal):
        parts = distribution.component_distribution
        weight = as_double(distribution.mixture_distribution.probs)
        return crps_of_mixtures(weight, as_double(parts.mean), as_double(parts.stddev), target)
    return _by_quantiles(distribution, target)


def _expected_distance(difference: Tensor, spread: Tensor) -> Tensor:
    """E|N(difference, spread²)|, which is |difference| where the spread is 0."""
    scaled = difference / spread.clamp(min=torch.finfo(spread.dtype).tiny)
    density = torch.exp(-0.5 * scaled**2) / math.sqrt(2 * math.pi)
    return difference * torch.erf(scaled / math.sqrt(2)) + 2 * spread * density


def _by_quantiles(distribution: Any, target: Tensor) -> Tensor:
    """2 ∫ ([y <= Q] - q)(Q - y) dq; the outermost nodes stay 1e-5 away from 0 and 1, where Q may be infinite."""
    node, width = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(QUANTILES))
    q = (node + 1) / 2
    gap = quantiles(distribution, q) - target
    columns = [-1, *[1] * target.ndim]
    q, width = q.reshape(columns), width.reshape(columns)
    return (width * torch.where(gap >= 0, 1 - q, -q) * gap).sum(0)
