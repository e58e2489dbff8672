"""InfoNCE: each query should find its own key among all others.

    L_i = -log exp(q_i·k_i / T) / Σ_j exp(q_i·k_j / T),   q, k of unit length, T the temperature    [nats]
    symmetric: the mean with the same loss for keys that look for their query (image and text)
    Source: van den Oord 2018, arXiv:1807.03748; symmetric: Radford 2021, arXiv:2103.00020

The N x N similarities are never held: memory is O(N·D), forward and backward.
"""

import torch

from evenkeel.errors import RequestError, ShapeError
from evenkeel.losses.base import Example, Loss
from evenkeel.losses.both_nce import both_nce
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.ranks import Across, Ranks, gather, ranks
from evenkeel.losses.reduce import reduce
from evenkeel.losses.row_nce import Positives, row_nce
from evenkeel.losses.row_nce_sum import row_nce_sum
from evenkeel.losses.same_shape import require_one_shape
from evenkeel.losses.unit import unit
from evenkeel.shapes import Float, Reduction, Tensor


def info_nce(
    query: Float[Tensor, "..."],
    key: Float[Tensor, "..."],
    *,
    negatives: Float[Tensor, "..."] | None = None,
    temperature: PlainNumber | Float[Tensor, ""] = 0.07,
    symmetric: bool = False,
    across: Across = "ranks",
    reduction: Reduction = "mean",
) -> Tensor:
    """InfoNCE of embeddings (batch, unit), normalised here; key i belongs to query i. One value per query, in nats.

    The mean is over queries; with `symmetric=True` it is the mean of the two directions. `negatives` None: the other
    keys of the batch, and those of all ranks under torch.distributed (`across="none"`: of this rank alone). Otherwise
    (key, unit), shared by all queries, or (batch, key, unit), and the other keys of the batch play no part. The
    gradient cannot be differentiated again, and says so.

    Example:
        >>> import torch
        >>> info_nce(torch.ones(4, 8), torch.ones(4, 8))  # all alike: ln 4
        tensor(1.3863)

    """
    require_one_shape(query=query, key=key)
    if negatives is not None:
        return reduce(_against(query, key, negatives, temperature, symmetric), reduction)
    place = ranks(across)
    if symmetric and place.count == 1:
        return reduce(both_nce(query, key, temperature), reduction)
    value = _one_way(query, key, temperature, place, reduction)
    return 0.5 * (value + _one_way(key, query, temperature, place, reduction)) if symmetric else value


def _one_way(
    query: Tensor, key: Tensor, temperature: PlainNumber | Tensor, place: Ranks, reduction: Reduction
) -> Tensor:
    """The loss of queries among the keys of all ranks; this rank's own begin at key rank · batch."""
    keys, positive = gather(key, place), place.rank * len(query)
    if reduction == "none":
        return row_nce(query, keys, temperature, Positives(positive=positive))
    total = row_nce_sum(query, keys, temperature, positive)
    return total / max(len(query), 1) if reduction == "mean" else total


def _against(
    query: Tensor, key: Tensor, negatives: Tensor, temperature: PlainNumber | Tensor, symmetric: bool
) -> Tensor:
    """The loss against explicit negatives: ln(1 + exp(log Σ exp(negatives) - positive))."""
    if symmetric:
        raise RequestError("symmetric=True compares a batch with itself, got negatives as well; try negatives=None")
    scaled = unit(query) / temperature
    if negatives.ndim == 2 and negatives.shape[1] == query.shape[1]:
        rest = row_nce(query, negatives, temperature, Positives())
    elif negatives.ndim == 3 and negatives.shape[::2] == query.shape:
        rest = torch.logsumexp((unit(negatives) * scaled.unsqueeze(1)).sum(-1), 1)
    else:
        raise ShapeError(
            f"negatives must be (key, unit) or (batch, key, unit) with queries {tuple(query.shape)}, "
            f"got {tuple(negatives.shape)}; try negatives.flatten(0, -2)"
        )
    return -torch.nn.functional.logsigmoid((scaled * unit(key)).sum(-1) - rest)


InfoNceLoss = module_form(info_nce)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    query, key = torch.randn(2, batch, 6, generator=generator, dtype=torch.float64).to(dtype)
    return Example(output=(query, key), options={"temperature": 0.2})


INFO_NCE = Loss(
    name="info_nce",
    summary="pairs that should find each other among the batch",
    source="van den Oord et al. 2018, arXiv:1807.03748; symmetric: Radford et al. 2021, arXiv:2103.00020",
    call=info_nce,
    expects=("embedding-pairs",),
    example=_example,
    each="example",
    batch="joint",
    derivatives="first order",
)
