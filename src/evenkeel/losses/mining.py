"""Which triplets of a batch count: one value per anchor from all distances, without holding every triplet.

With the negatives of an anchor sorted by distance, the positive p meets the negatives nearer than d_p + margin as one
leading stretch, so that a prefix sum gives their total: O(N²) memory where all triplets would take O(N³).
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from evenkeel.losses.number import PlainNumber

Mining = Literal["all", "hard", "semi-hard"]
"""All triplets; the farthest positive with the nearest negative; each positive with the next farther negative."""


class Pairs(NamedTuple):
    """Distances (anchor, other), and which others are positives and negatives of the anchor."""

    distance: Tensor
    positive: Tensor
    negative: Tensor


def usable(pairs: Pairs) -> Tensor:
    """True for anchors that have a positive and a negative: (anchor,)."""
    return pairs.positive.any(1) & pairs.negative.any(1)


def hard(pairs: Pairs, margin: PlainNumber | None) -> Tensor:
    """The farthest positive against the nearest negative."""
    farthest = torch.where(pairs.positive, pairs.distance, -torch.inf).amax(1)
    nearest = torch.where(pairs.negative, pairs.distance, torch.inf).amin(1)
    return hinge(torch.where(usable(pairs), farthest - nearest, 0.0), margin)


def semi_hard(pairs: Pairs, margin: PlainNumber | None) -> Tensor:
    """Each positive against the nearest negative that is farther than it, or the farthest one where there is none."""
    ordered, count = _sorted_negatives(pairs)
    place = torch.searchsorted(ordered.detach(), pairs.distance.detach().contiguous(), right=True)
    chosen = ordered.gather(1, torch.minimum(place, (count - 1).clamp(min=0).unsqueeze(1)))
    kept = pairs.positive & usable(pairs).unsqueeze(1)
    gap = torch.where(kept, pairs.distance - chosen, 0.0)
    return torch.where(kept, hinge(gap, margin), 0.0).sum(1) / pairs.positive.sum(1).clamp(min=1)


def every(pairs: Pairs, margin: PlainNumber | None) -> Tensor:
    """The mean over all triplets of an anchor. A soft margin has no prefix sums: it holds every triplet."""
    triplets = pairs.positive.sum(1) * pairs.negative.sum(1)
    if margin is None:
        gap = pairs.distance.unsqueeze(2) - pairs.distance.unsqueeze(1)
        kept = pairs.positive.unsqueeze(2) & pairs.negative.unsqueeze(1)
        return torch.where(kept, hinge(gap, None), 0.0).sum((1, 2)) / triplets.clamp(min=1)
    ordered, count = _sorted_negatives(pairs)
    real = torch.arange(ordered.shape[1], device=ordered.device) < count.unsqueeze(1)
    prefix = torch.nn.functional.pad(torch.where(real, ordered, 0.0).cumsum(1), (1, 0))
    reach = pairs.distance + margin
    place = torch.searchsorted(ordered.detach(), reach.detach().contiguous())
    total = place * reach - prefix.gather(1, place)
    return torch.where(pairs.positive, total, 0.0).sum(1) / triplets.clamp(min=1)


def hinge(gap: Tensor, margin: PlainNumber | None) -> Tensor:
    """max(0, gap + margin), or its smooth form ln(1 + exp(gap)) for None."""
    return -torch.nn.functional.logsigmoid(-gap) if margin is None else (gap + margin).clamp(min=0)


def _sorted_negatives(pairs: Pairs) -> tuple[Tensor, Tensor]:
    """Each anchor's negative distances in ascending order, padded with infinity, and their number."""
    return torch.where(pairs.negative, pairs.distance, torch.inf).sort(1).values, pairs.negative.sum(1)
