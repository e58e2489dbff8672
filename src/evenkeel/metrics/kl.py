"""KL divergence of a latent code from the standard normal: how much the code says about what was encoded.

KL = mean over rows of Σ_d (exp(s_d) + m_d² - 1 - s_d) / 2,   m the mean, s the log-variance   [nats]
Source: Kingma and Welling 2014, arXiv:1312.6114
"""

import torch

from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import latents
from evenkeel.metrics.gather import TensorOrArray, mean
from evenkeel.metrics.latents import code


def kl(latent: TensorOrArray, target: TensorOrArray | None = None, weight: TensorOrArray | None = None) -> float:
    """Mean KL, in nats per row, of codes (row, 2·unit): means, then log-variances.

    The target plays no part; it may be passed so that all metrics of a network are called alike. At 0 the code has
    collapsed onto the prior and says nothing.

    Example:
        >>> import numpy as np
        >>> kl(np.array([[1.0, 1.0, 0.0, 0.0]]))
        1.0

    """
    normal = code(latent)
    each = 0.5 * (torch.expm1(normal.log_variance) - normal.log_variance + normal.mean**2)
    return mean(each.sum(1), weight)


KL = Metric(
    name="kl",
    summary="how much a latent code says about what was encoded",
    source="Kingma and Welling 2014, arXiv:1312.6114",
    call=kl,
    expects=("latent",),
    better="neither",
    example=latents,
    explanation="how much the code says about what was encoded, in nats; 0 is collapse",
)
