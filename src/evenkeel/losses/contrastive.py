"""Contrastive loss of a siamese network: same pairs together, different pairs a margin apart.

L = d² / 2 for a same pair,  max(0, margin - d)² / 2 for a different one,  d the Euclidean distance
Source: Hadsell, Chopra and LeCun 2006, doi:10.1109/CVPR.2006.100
"""

import torch

from evenkeel.losses.base import Example, Loss
from evenkeel.losses.distance import Distance, row_distance
from evenkeel.losses.fit_shapes import share
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Bool, Float, Int, Reduction, Tensor


def contrastive(
    left: Float[Tensor, "*batch unit"],
    right: Float[Tensor, "*batch unit"],
    same: Bool[Tensor, "*shared"] | Int[Tensor, "*shared"] | Float[Tensor, "*shared"],
    *,
    margin: PlainNumber = 1.0,
    distance: Distance = "euclidean",
    reduction: Reduction = "mean",
) -> Tensor:
    """Contrastive loss of pairs of embeddings (..., unit); `same` (...) is 1 or True where a pair belongs together.

    `margin` is in units of the distance. One value per pair; the mean is over pairs. Two different embeddings that
    coincide have gradient 0.

    Example:
        >>> import torch
        >>> contrastive(torch.zeros(2, 3), torch.zeros(2, 3), torch.tensor([True, False]))  # (0 + 1/2) / 2
        tensor(0.2500)

    """
    apart = row_distance(left, right, distance)
    belongs = share(same.to(apart), apart.shape, "same")
    return reduce(0.5 * (belongs * apart**2 + (1 - belongs) * (margin - apart).clamp(min=0) ** 2), reduction)


ContrastiveLoss = module_form(contrastive)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    left, right = torch.randn(2, batch, 3, generator=generator, dtype=torch.float64).to(dtype)
    same = torch.randint(2, (batch,), generator=generator).bool()
    return Example(output=(left, right), target=(same,), options={"margin": 2.0})


CONTRASTIVE = Loss(
    name="contrastive",
    summary="pairs that are the same or different (siamese)",
    source="Hadsell, Chopra and LeCun 2006, doi:10.1109/CVPR.2006.100",
    call=contrastive,
    expects=("embedding-pairs",),
    example=_example,
    each="example",
)
