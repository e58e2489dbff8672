"""Triplet loss over a batch with labels: which triplets count is the mining.

hard:      for each anchor the farthest positive against the nearest negative
semi-hard: each positive against the nearest negative that is farther (the farthest one, where none is)
all:       every triplet of the anchor;   each anchor's value is the mean over its triplets
Source: Hermans 2017, arXiv:1703.07737 (hard, all); Schroff 2015, arXiv:1503.03832 (semi-hard)
"""

from typing import Literal

import torch

from evenkeel.losses.base import Example, Loss
from evenkeel.losses.distance import Distance, all_distances
from evenkeel.losses.mining import Mining, Pairs, every, hard, semi_hard, usable
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.ranks import Across, gather, mean_over_ranks, ranks
from evenkeel.losses.reduce import reduce_weighted
from evenkeel.losses.same_shape import require_one_label_each
from evenkeel.shapes import Float, Int, Reduction, Tensor

_MINERS = {"all": every, "hard": hard, "semi-hard": semi_hard}


def triplet_from_labels(
    embedding: Float[Tensor, "..."],
    labels: Int[Tensor, "..."],
    *,
    margin: PlainNumber | Literal["soft"] = 1.0,
    mining: Mining = "hard",
    distance: Distance = "euclidean",
    across: Across = "ranks",
    reduction: Reduction = "mean",
) -> Tensor:
    """Triplet loss of embeddings (batch, unit) with one label each (batch,), one value per anchor.

    Anchors without a positive or without a negative count for nothing: the mean is over the others. Embeddings are
    taken as they are: normalise them, or use `distance="cosine"`, where length should not matter. Under
    torch.distributed the rows of all ranks are candidates (`across="none"`: of this rank alone).

    Example:
        >>> import torch
        >>> triplet_from_labels(torch.tensor([[0.0], [1.0], [3.0], [4.0]]), torch.tensor([0, 0, 1, 1]), margin=2.0)
        tensor(0.5000)

    """
    require_one_label_each(embedding, labels)
    place = ranks(across)
    candidates, candidate_labels = gather(embedding, place), gather(labels, place)
    same = labels.unsqueeze(1) == candidate_labels
    number = torch.arange(len(candidates), device=labels.device)
    oneself = number[place.rank * len(labels) :][: len(labels)].unsqueeze(1) == number
    pairs = Pairs(all_distances(embedding, candidates, distance), same & ~oneself, ~same)
    values = _MINERS[mining](pairs, None if margin == "soft" else margin) if len(labels) else pairs.distance.sum(1)
    counts = usable(pairs)
    total = counts.to(values).sum()
    values = torch.where(counts, values, 0.0)
    return reduce_weighted(values, reduction, mean_over_ranks(total, place) if reduction == "mean" else total)


TripletFromLabelsLoss = module_form(triplet_from_labels)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    embedding = torch.randn(batch, 3, generator=generator, dtype=torch.float64).to(dtype)
    return Example(output=(embedding,), target=(torch.arange(batch) // 2 % 3,))


TRIPLET_FROM_LABELS = Loss(
    name="triplet_from_labels",
    summary="embeddings that belong together by label, by distance",
    source="Hermans et al. 2017, arXiv:1703.07737; Schroff et al. 2015, arXiv:1503.03832",
    call=triplet_from_labels,
    expects=("embedding-labels",),
    example=_example,
    each="example",
    batch="joint",
    derivatives="first order",
)
