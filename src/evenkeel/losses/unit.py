"""Embeddings on the unit sphere, so that their products are cosines; safe at any length, zero included.

unit(x) = x / |x|,   and 0 where x = 0.
"""

import torch
from torch import Tensor

from evenkeel.losses.precision import widen


def unit(embedding: Tensor) -> Tensor:
    """The rows divided by their length, in float32 or float64; a row of zeros stays zero, with a finite gradient."""
    embedding = widen(embedding)
    # The largest entry is taken out first: squares of 1e30 or 1e-30 do not fit into float32. Direction does not
    # depend on it, so it takes no part in the gradient.
    size = embedding.abs().amax(-1, keepdim=True).detach()
    scaled = embedding / torch.where(size > 0, size, 1.0)
    square = (scaled * scaled).sum(-1, keepdim=True)
    return scaled * torch.rsqrt(torch.where(square > 0, square, 1.0))
