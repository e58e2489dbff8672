"""Partner recall: how often a row of one side finds its partner among the k nearest of the whole other side.

R@k = share of rows whose partner is among the k nearest;   both: the mean of the two directions
Source: Hodosh, Young and Hockenmaier 2013, doi:10.1613/jair.3994
"""

from evenkeel.errors import RequestError
from evenkeel.metrics.base import Metric, Reported
from evenkeel.metrics.examples import pairs
from evenkeel.metrics.gather import TensorOrArray, row_weight
from evenkeel.metrics.partners import Asking, partner_ranks


def partner_recall(
    embedding: TensorOrArray,
    target: TensorOrArray,
    weight: TensorOrArray | None = None,
    *,
    k: int = 1,
    asking: Asking = "both",
) -> float | None:
    """Recall at k, 0..1, of embeddings (row, 2, unit) whose target (row,) is the same number where pairs are alike.

    The weight is that of a row as the query; every row is a candidate. None of no rows. Chance is k / rows.

    Raises:
        RequestError: k below 1, or another side than `left`, `right` or `both`.

    Example:
        >>> import numpy as np
        >>> pairs = np.array([[[1.0, 0.0], [1.0, 0.1]], [[0.0, 1.0], [0.1, 1.0]], [[-1.0, 0.0], [1.0, 0.0]]])
        >>> partner_recall(pairs, np.arange(3), asking="right", k=2)
        0.6666666666666666

    """
    if k < 1:
        raise RequestError(f"k must be 1 or more neighbours, got {k}; try k=1")
    ranks = partner_ranks(embedding, target, asking)
    rows = row_weight(weight, len(ranks[0]))
    if not float(rows.sum()):
        return None
    return sum(float((rows * (rank <= k)).sum() / rows.sum()) for rank in ranks) / len(ranks)


PARTNER_RECALL = Metric(
    name="partner_recall",
    summary="how often the partner is among the nearest of the other side",
    source="Hodosh, Young and Hockenmaier 2013, doi:10.1613/jair.3994",
    call=partner_recall,
    expects=("embedding-pair",),
    better="higher",
    example=pairs,
    rows="joint",
    reported={
        f"{side}_recall_at_{k}": Reported({"k": k, "asking": side}) for side in ("left", "right") for k in (1, 5, 10)
    },
)
