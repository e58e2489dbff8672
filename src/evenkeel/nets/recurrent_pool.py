"""One vector of each example out of all its steps: their weighted mean, or the last that each direction has read.

    attention    sum_t a_t h_t,   a = softmax over the real steps of q · h_t,   q = 0 at first: the plain mean

Source: Yang et al. 2016, doi:10.18653/v1/N16-1174
"""

from __future__ import annotations

import torch
from torch import nn
from typing_extensions import override

from evenkeel.nets.steps import blanked
from evenkeel.shapes import Bool, Float, Tensor


class AttentionPool(nn.Module):
    """A mean of the real steps, weighted by a learned query.

    Shapes: (batch, step, unit), padding (batch, step) True where there is none -> (batch, unit).

    Example:
        >>> AttentionPool(1)(torch.tensor([[[1.0], [3.0]]])).tolist()
        [[2.0]]
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(width))

    @override
    def forward(
        self, hidden: Float[Tensor, "batch step unit"], padding: Bool[Tensor, "batch step"] | None = None
    ) -> Float[Tensor, "batch unit"]:
        score = hidden @ self.query
        score = score if padding is None else score.masked_fill(padding, -torch.inf)
        return torch.einsum("bs,bsu->bu", score.softmax(1), blanked(hidden, padding))


class EndsPool(nn.Module):
    """Of units of which the first half reads forwards and the second half backwards: each where it has read all.

    Shapes: as `AttentionPool`.

    Example:
        >>> EndsPool()(torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])).tolist()
        [[5.0, 2.0]]
    """

    @override
    def forward(
        self, hidden: Float[Tensor, "batch step unit"], padding: Bool[Tensor, "batch step"] | None = None
    ) -> Float[Tensor, "batch unit"]:
        forwards, backwards = hidden.chunk(2, dim=-1)
        if padding is None:
            last = forwards[:, -1]
        else:
            at = (~padding).sum(1).view(-1, 1, 1) - 1
            last = forwards.take_along_dim(at, dim=1).squeeze(1)
        return torch.cat((last, backwards[:, 0]), dim=-1)
