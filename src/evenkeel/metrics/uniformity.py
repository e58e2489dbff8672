"""Uniformity: how evenly the embeddings cover the unit sphere; a code that has collapsed to one point has 0.

U = ln mean over pairs i ≠ j of exp(-2 |z_i - z_j|²),  z = x / |x|;   0 is one point, lower is more even
Source: Wang and Isola 2020, arXiv:2005.10242 (t = 2)
"""

import math

import torch

from evenkeel.metrics.base import Metric
from evenkeel.metrics.embeddings import tiles, unit_rows
from evenkeel.metrics.examples import embeddings
from evenkeel.metrics.gather import TensorOrArray, row_weight

SHARPNESS = 2.0
"""The t of the source: exp(-t |z_i - z_j|²)."""


def uniformity(
    embedding: TensorOrArray, target: TensorOrArray | None = None, weight: TensorOrArray | None = None
) -> float | None:
    """Uniformity of embeddings (row, unit), -8..0.

    A pair weighs the product of the weights of its rows; the target plays no part, and may be passed so that all
    metrics of an embedding are called alike. None where there are not two rows.

    Example:
        >>> import numpy as np
        >>> uniformity(np.array([[1.0, 0.0], [-1.0, 0.0]]))  # as far apart as can be: -2 · 2²
        -8.0

    """
    rows = unit_rows(embedding)
    weights = row_weight(weight, len(rows))
    pairs = float(weights.sum() ** 2 - (weights**2).sum())
    if pairs <= 0:
        return None
    square = rows.square().sum(1)
    total = 0.0
    for tile in tiles(len(rows)):
        apart = square[tile].unsqueeze(1) + square - 2 * rows[tile] @ rows.T
        near = torch.exp(-SHARPNESS * apart)
        near[torch.arange(len(tile)), tile] = 0.0  # a row is no pair with itself
        total += float(weights[tile] @ near @ weights)
    return math.log(total / pairs)


UNIFORMITY = Metric(
    name="uniformity",
    summary="how evenly embeddings cover the sphere",
    source="Wang and Isola 2020, arXiv:2005.10242",
    call=uniformity,
    expects=("embedding",),
    better="lower",
    example=embeddings,
    rows="joint",
    explanation="how evenly embeddings cover the sphere; lower is more even, 0 is collapse",
)
