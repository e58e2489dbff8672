"""Mean average precision at R: how well each row ranks its own group before all others.

AP_i = 1/R Σ_{r=1..R} [the r-th nearest is of the group] · (share of the group among the r nearest),
R the number of other rows of the group;   mean over the rows with R > 0
Source: Musgrave, Belongie and Lim 2020, arXiv:2003.08505
"""

import torch

from evenkeel.metrics.base import Metric
from evenkeel.metrics.embeddings import Closeness, grouped, ranked
from evenkeel.metrics.examples import embeddings
from evenkeel.metrics.gather import TensorOrArray, row_weight


def map_at_r(
    embedding: TensorOrArray,
    target: TensorOrArray,
    weight: TensorOrArray | None = None,
    *,
    closeness: Closeness = "cosine",
) -> float | None:
    """MAP@R, 0..1, of embeddings (row, unit) whose target (row,) is the same number where rows belong together.

    The weight is that of a row as the query; every row is a candidate. None where no row has another of its group.

    Example:
        >>> import numpy as np
        >>> map_at_r(np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), np.array([0, 0, 1]))
        1.0

    """
    points = grouped(embedding, target, closeness)
    rows = row_weight(weight, len(points.group))
    largest = int(points.size.max()) - 1 if len(points.size) else 0
    rank = torch.arange(1, largest + 1)
    score = total = 0.0
    for part in ranked(points, largest, closeness):
        others = (points.size[points.group[part.row]] - 1).unsqueeze(1)
        hit = (part.hit & (rank <= others)).double()
        precision = hit.cumsum(1) / rank
        score += float((rows[part.row] * (hit * precision).sum(1) / others.squeeze(1)).sum())
        total += float(rows[part.row].sum())
    return score / total if total else None


MAP_AT_R = Metric(
    name="map_at_r",
    summary="how well each row ranks its own group before all others",
    source="Musgrave, Belongie and Lim 2020, arXiv:2003.08505",
    call=map_at_r,
    expects=("embedding",),
    better="higher",
    example=embeddings,
    rows="joint",
    explanation="how well each row ranks its own group before all others",
)
