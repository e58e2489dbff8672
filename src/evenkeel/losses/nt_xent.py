"""NT-Xent: two views of one example should find each other among all views of the batch.

    L_i = -log exp(z_i·z_p / T) / Σ_{a≠i} exp(z_i·z_a / T),   z the 2 N views at unit length, p the other view   [nats]
    Source: Chen 2020, arXiv:2002.05709; Sohn 2016

The 2N x 2N similarities are never held, and since they are symmetric only half of them is computed.
"""

import torch

from evenkeel.losses.base import Example, Loss
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.ranks import Across, Ranks, gather, ranks
from evenkeel.losses.reduce import reduce
from evenkeel.losses.row_nce import Positives, row_nce
from evenkeel.losses.same_shape import require_one_shape
from evenkeel.losses.self_nce import self_nce
from evenkeel.shapes import Float, Reduction, Tensor


def nt_xent(
    left: Float[Tensor, "..."],
    right: Float[Tensor, "..."],
    *,
    temperature: PlainNumber | Float[Tensor, ""] = 0.5,
    across: Across = "ranks",
    reduction: Reduction = "mean",
) -> Tensor:
    """NT-Xent of two views (batch, unit) of each example, normalised here, in nats.

    One value per example, that of its two views in equal parts; the mean is over examples. Under torch.distributed the
    views of all ranks are candidates (`across="none"`: of this rank alone). The gradient cannot be differentiated
    again, and says so.

    Example:
        >>> import torch
        >>> nt_xent(torch.ones(4, 8), torch.ones(4, 8))  # all alike: ln(2·4 - 1)
        tensor(1.9459)

    """
    require_one_shape(left=left, right=right)
    views = torch.cat([left, right])
    place = ranks(across)
    # Alone, the similarities are symmetric, and half of the work is saved.
    values = self_nce(views, temperature) if place.count == 1 else _among_ranks(views, temperature, place)
    return reduce(values.reshape(2, -1).mean(0), reduction)


def _among_ranks(views: Tensor, temperature: PlainNumber | Tensor, place: Ranks) -> Tensor:
    """The loss of this rank's views among those of all ranks; its own begin at rank · number of views."""
    count, others = len(views) // 2, gather(views, place)
    left, right = place.rank * len(views), place.rank * len(views) + count
    from_left = row_nce(views[:count], others, temperature, Positives(own=left, positive=right))
    return torch.cat([from_left, row_nce(views[count:], others, temperature, Positives(own=right, positive=left))])


NtXentLoss = module_form(nt_xent)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    left, right = torch.randn(2, batch, 6, generator=generator, dtype=torch.float64).to(dtype)
    return Example(output=(left, right))


NT_XENT = Loss(
    name="nt_xent",
    summary="two views of each example, without labels",
    source="Chen et al. 2020, arXiv:2002.05709",
    call=nt_xent,
    expects=("embedding-pairs",),
    example=_example,
    each="example",
    batch="joint",
    derivatives="first order",
)
