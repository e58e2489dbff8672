"""At which rank each row of one side finds its partner among all rows of the other side, a tile at a time.

rank_i = 1 + number of rows j not alike i with closeness(i, j) >= the closest of those alike i
"""

from typing import Literal

import torch
from torch import Tensor

from evenkeel.errors import RequestError, ShapeError
from evenkeel.metrics.embeddings import tiles, unit_rows
from evenkeel.metrics.gather import TensorOrArray, as_tensor

Asking = Literal["left", "right", "both"]
SIDES: dict[str, tuple[str, ...]] = {"left": ("left",), "right": ("right",), "both": ("left", "right")}


def partner_ranks(embedding: TensorOrArray, target: TensorOrArray, asking: str = "both") -> list[Tensor]:
    """Ranks (row,) from 1 of each side that asks, by the cosine of embeddings (row, 2, unit).

    Among rows that are alike, those of one number in `target`, each counts as the other's partner. Strangers as close
    as the partner rank before it, so that embeddings that are all the same find nothing.
    """
    if asking not in SIDES:
        raise RequestError(f"asking must be 'left', 'right' or 'both', got {asking!r}; try 'both'")
    points, alike = as_tensor(embedding), as_tensor(target)
    if points.ndim != 3 or points.shape[1] != 2:
        raise ShapeError(f"embeddings of pairs must be (row, 2, unit), got {tuple(points.shape)}; try stack((a, b), 1)")
    if alike.shape != points.shape[:1]:
        raise ShapeError(
            f"target must be one number per row ({len(points)},), the same where pairs are alike, "
            f"got {tuple(alike.shape)}; try torch.arange({len(points)})"
        )
    left, right = unit_rows(points[:, 0]), unit_rows(points[:, 1])
    sides = {"left": (left, right), "right": (right, left)}
    return [_ranks(*sides[side], alike) for side in SIDES[asking]]


def _ranks(query: Tensor, key: Tensor, alike: Tensor) -> Tensor:
    ranks = [torch.empty(0, dtype=torch.int64)]
    for row in tiles(len(query)) if len(query) else ():
        near, own = query[row] @ key.T, alike[row].unsqueeze(1) == alike
        best = near.masked_fill(~own, -torch.inf).amax(1, keepdim=True)
        ranks.append(1 + ((near >= best) & ~own).sum(1))
    return torch.cat(ranks)
