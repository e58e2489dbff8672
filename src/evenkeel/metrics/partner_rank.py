"""Partner rank: at which rank, in the median, a row of one side finds its partner among the whole other side.

1 is the nearest, (rows + 1) / 2 is chance;   both: the mean of the medians of the two directions
median: the value below which half the weight lies, the mean of two where they meet at half
Source: Hodosh, Young and Hockenmaier 2013, doi:10.1613/jair.3994
"""

import torch
from torch import Tensor

from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import pairs
from evenkeel.metrics.gather import TensorOrArray, row_weight
from evenkeel.metrics.partners import Asking, partner_ranks


def partner_rank(
    embedding: TensorOrArray, target: TensorOrArray, weight: TensorOrArray | None = None, *, asking: Asking = "both"
) -> float | None:
    """Median rank from 1 of embeddings (row, 2, unit) whose target (row,) is the same number where pairs are alike.

    The weight is that of a row as the query; every row is a candidate. None of no rows.

    Raises:
        RequestError: another side than `left`, `right` or `both`.

    Example:
        >>> import numpy as np
        >>> pairs = np.array([[[1.0, 0.0], [1.0, 0.1]], [[0.0, 1.0], [0.1, 1.0]], [[-1.0, 0.0], [1.0, 0.0]]])
        >>> partner_rank(pairs, np.arange(3), asking="left")
        2.0

    """
    ranks = partner_ranks(embedding, target, asking)
    rows = row_weight(weight, len(ranks[0]))
    if not float(rows.sum()):
        return None
    return sum(_median(rank.double(), rows) for rank in ranks) / len(ranks)


def _median(values: Tensor, weight: Tensor) -> float:
    order = values.argsort()
    share = weight[order].cumsum(0) / weight.sum()
    rounding = 1e-12  # weights of equal rows add up to a half only up to rounding
    low = values[order][torch.searchsorted(share, 0.5 - rounding)]
    high = values[order][torch.searchsorted(share, 0.5 + rounding).clamp(max=len(values) - 1)]
    return float(low + high) / 2


PARTNER_RANK = Metric(
    name="partner_rank",
    summary="at which rank, in the median, the partner is found on the other side",
    source="Hodosh, Young and Hockenmaier 2013, doi:10.1613/jair.3994",
    call=partner_rank,
    expects=("embedding-pair",),
    better="lower",
    example=pairs,
    rows="joint",
)
