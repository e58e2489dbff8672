"""Recall at k: how often a row finds one of its own group among its k nearest others.

R@k = share of rows, among those that have another of their group, with one of it among the k nearest
Source: Jégou, Douze and Schmid 2011, doi:10.1109/TPAMI.2010.57
"""

from evenkeel.errors import RequestError
from evenkeel.metrics.base import Metric
from evenkeel.metrics.embeddings import Closeness, grouped, ranked
from evenkeel.metrics.examples import embeddings
from evenkeel.metrics.gather import TensorOrArray, row_weight


def recall_at_k(
    embedding: TensorOrArray,
    target: TensorOrArray,
    weight: TensorOrArray | None = None,
    *,
    k: int = 1,
    closeness: Closeness = "cosine",
) -> float | None:
    """Recall at k, 0..1, of embeddings (row, unit) whose target (row,) is the same number where rows belong together.

    The weight is that of a row as the query; every row is a candidate. None where no row has another of its group.

    Raises:
        RequestError: k below 1.

    Example:
        >>> import numpy as np
        >>> recall_at_k(np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), np.array([0, 0, 1]))
        1.0

    """
    if k < 1:
        raise RequestError(f"k must be 1 or more neighbours, got {k}; try k=1")
    points = grouped(embedding, target, closeness)
    rows = row_weight(weight, len(points.group))
    hits = total = 0.0
    for part in ranked(points, k, closeness):
        hits += float((rows[part.row] * part.hit.any(1)).sum())
        total += float(rows[part.row].sum())
    return hits / total if total else None


RECALL_AT_K = Metric(
    name="recall_at_k",
    summary="how often one of the k nearest belongs to the same group",
    source="Jégou, Douze and Schmid 2011, doi:10.1109/TPAMI.2010.57",
    call=recall_at_k,
    expects=("embedding",),
    better="higher",
    example=embeddings,
    rows="joint",
    explanation="how often the nearest neighbour belongs to the same group",
)
