"""Triplet loss: an anchor closer to its positive than to its negative, by a margin.

L = max(0, d(a, p) - d(a, n) + margin),   or ln(1 + exp(d(a, p) - d(a, n))) with margin="soft"
Source: Schroff 2015, arXiv:1503.03832; soft margin: Hermans 2017, arXiv:1703.07737
"""

from typing import Literal

import torch

from evenkeel.losses.base import Example, Loss
from evenkeel.losses.distance import Distance, row_distance
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Float, Reduction, Tensor


def triplet(
    anchor: Float[Tensor, "*batch unit"],
    positive: Float[Tensor, "*batch unit"],
    negative: Float[Tensor, "*batch unit"],
    *,
    margin: PlainNumber | Literal["soft"] = 1.0,
    distance: Distance = "euclidean",
    reduction: Reduction = "mean",
) -> Tensor:
    """Triplet loss of embeddings (..., unit), one value per triplet; the mean is over triplets.

    `margin` is in units of the distance.

    Example:
        >>> import torch
        >>> triplet(torch.zeros(1, 2), torch.zeros(1, 2), torch.tensor([[0.6, 0.8]]), margin=1.5)
        tensor(0.5000)

    """
    gap = row_distance(anchor, positive, distance) - row_distance(anchor, negative, distance)
    values = -torch.nn.functional.logsigmoid(-gap) if margin == "soft" else (gap + margin).clamp(min=0)
    return reduce(values, reduction)


TripletLoss = module_form(triplet)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    anchor, positive, negative = torch.randn(3, batch, 3, generator=generator, dtype=torch.float64).to(dtype)
    return Example(output=(anchor, positive, negative))


TRIPLET = Loss(
    name="triplet",
    summary="an anchor nearer to its positive than to its negative",
    source="Schroff et al. 2015, arXiv:1503.03832",
    call=triplet,
    expects=("embedding-triplets",),
    example=_example,
    each="example",
)
