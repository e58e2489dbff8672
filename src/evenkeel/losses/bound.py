"""A smooth bound on a predicted logarithm (of a variance, of a shape): exact up to a limit, slow growth beyond.

    bound(s) = s                              where |s| <= limit
             = sign(s)·(limit + ln(1 + |s| - limit))  elsewhere;   slope 1 / (1 + |s| - limit), never 0

exp(±20) spans 2e-9 to 5e8, which no scaled target needs; far beyond it exp would overflow, and a hard clamp would leave
a gradient of 0, so that a variance once out there stays there.
"""

import torch
from torch import Tensor

LIMIT = 20.0
"""Largest |logarithm| of a spread that is taken as it is [natural logarithm]."""

OVERFLOW = 60.0
"""Largest |logarithm| of a size that is taken as it is: float32 ends at e^88, and slow growth must stay below it."""


def bound(logarithm: Tensor, limit: float = LIMIT) -> Tensor:
    """The bounded logarithm, of any shape."""
    size = logarithm.abs()
    slow = torch.sign(logarithm) * (limit + torch.log1p((size - limit).clamp(min=0)))
    return torch.where(size > limit, slow, logarithm)
