"""Alignment: how far apart, on the unit sphere, the embeddings of rows that belong together are; 0 is best.

A = mean over pairs i ≠ j of one group of |z_i - z_j|²,  z = x / |x|;   0..4
Source: Wang and Isola 2020, arXiv:2005.10242 (alpha = 2)

By the moments of each group, Σ_ij w_i w_j |z_i - z_j|² = 2 (W Σ w |z|² - |Σ w z|²): no pair is ever formed.
"""

import torch

from evenkeel.metrics.base import Metric
from evenkeel.metrics.embeddings import grouped
from evenkeel.metrics.examples import embeddings
from evenkeel.metrics.gather import TensorOrArray, row_weight


def alignment(embedding: TensorOrArray, target: TensorOrArray, weight: TensorOrArray | None = None) -> float | None:
    """Alignment of embeddings (row, unit) whose target (row,) is the same number where rows belong together.

    A pair weighs the product of the weights of its rows. None where no two rows belong together.

    Example:
        >>> import numpy as np
        >>> alignment(np.array([[1.0, 0.0], [0.0, 3.0], [1.0, 1.0]]), np.array([0, 0, 1]))
        2.0

    """
    points = grouped(embedding, target)
    rows = row_weight(weight, len(points.group))
    groups = len(points.size)
    mass, square, own = (
        torch.zeros(groups, dtype=torch.float64).index_add_(0, points.group, each)
        for each in (rows, rows * points.embedding.square().sum(1), rows**2)
    )
    center = torch.zeros(groups, points.embedding.shape[1], dtype=torch.float64)
    center.index_add_(0, points.group, rows.unsqueeze(1) * points.embedding)
    # A group of one row has no pair; the difference of its moments would be rounding.
    several = points.size > 1
    pairs = float((mass**2 - own)[several].sum())
    apart = 2 * (mass * square - center.square().sum(1))[several].sum()
    return float(apart) / pairs if pairs > 0 else None


ALIGNMENT = Metric(
    name="alignment",
    summary="distance between embeddings that belong together",
    source="Wang and Isola 2020, arXiv:2005.10242",
    call=alignment,
    expects=("embedding",),
    better="lower",
    example=embeddings,
    rows="joint",
    explanation="distance between embeddings that belong together; 0 is best",
)
