"""Distances between embeddings, with a gradient that is finite (0) where two of them coincide.

euclidean: |a - b|, in the embedding's own units;   cosine: 1 - a·b / (|a| |b|), between 0 and 2
"""

from typing import Literal

import torch
from torch import Tensor

from evenkeel.losses.precision import exact_products, widen
from evenkeel.losses.unit import unit

Distance = Literal["euclidean", "cosine"]


def row_distance(left: Tensor, right: Tensor, kind: Distance = "euclidean") -> Tensor:
    """Distance of each row to the same row of the other: (..., unit) twice to (...)."""
    if kind == "cosine":
        return 1 - (unit(left) * unit(right)).sum(-1)
    square = (widen(left) - widen(right)).square().sum(-1)
    apart = square > 0
    return torch.where(apart, torch.where(apart, square, 1.0).sqrt(), 0.0)


def all_distances(left: Tensor, right: Tensor, kind: Distance = "euclidean") -> Tensor:
    """Distance of every row to every row of the other: (row, unit), (key, unit) to (row, key)."""
    if kind == "cosine":
        with exact_products(left):
            return 1 - unit(left) @ unit(right).T
    # Not by |a|² + |b|² - 2 a·b: for near neighbours that is the difference of large numbers.
    return torch.cdist(widen(left), widen(right), compute_mode="donot_use_mm_for_euclid_dist")
