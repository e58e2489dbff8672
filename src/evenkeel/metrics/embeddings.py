"""Embeddings of all rows compared with each other, a tile at a time: N x N numbers never exist at once.

closeness: the cosine, or minus the Euclidean distance; a row is never compared with itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from evenkeel.errors import RequestError, ShapeError
from evenkeel.metrics.gather import TensorOrArray, as_double, as_tensor

TILE = 2**20
"""Numbers in a tile: 8 MiB of float64."""

Closeness = Literal["cosine", "euclidean"]


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """Embeddings (row, unit) in float64, at unit length for cosines, and the group of each row as 0..groups-1."""

    embedding: Tensor
    group: Tensor
    size: Tensor  # rows of each group


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A tile of rows: their numbers, and whether each of their nearest others belongs to their group, nearest first."""

    row: Tensor
    hit: Tensor  # (row, rank), Boolean


def unit_rows(embedding: TensorOrArray) -> Tensor:
    """Rows of a matrix in float64 at length 1; a row of zeros stays zero."""
    rows = as_double(embedding)
    if rows.ndim != 2:
        raise ShapeError(f"an embedding must be (row, unit), got {tuple(rows.shape)}; try embedding.flatten(1)")
    size = rows.norm(dim=1, keepdim=True)
    return rows / torch.where(size > 0, size, 1.0)


def grouped(embedding: TensorOrArray, target: TensorOrArray, closeness: Closeness = "cosine") -> Grouped:
    """Embeddings and groups, checked against each other."""
    rows = unit_rows(embedding)
    if closeness not in ("cosine", "euclidean"):
        raise RequestError(f"closeness must be 'cosine' or 'euclidean', got {closeness!r}; try 'cosine'")
    labels = as_tensor(target)
    if labels.shape != rows.shape[:1]:
        raise ShapeError(
            f"target must be one number per row ({len(rows)},), the same where rows belong together, "
            f"got {tuple(labels.shape)}; try target.flatten()"
        )
    _, group, size = labels.unique(return_inverse=True, return_counts=True)
    return Grouped(embedding=rows if closeness == "cosine" else as_double(embedding), group=group, size=size)


def tiles(rows: int) -> Iterator[Tensor]:
    """Numbers of the rows of each tile."""
    yield from torch.arange(rows).split(max(1, TILE // max(rows, 1)))


def ranked(points: Grouped, depth: int, closeness: Closeness) -> Iterator[Ranked]:
    """For each row that has another of its group, its `depth` nearest others, tile by tile."""
    queries = (points.size[points.group] > 1).nonzero().flatten()
    depth = min(depth, len(points.group) - 1)
    for tile in tiles(len(points.group)):
        row = tile[torch.isin(tile, queries)]
        if len(row):
            near = _closeness(points.embedding[row], points.embedding, closeness)
            near[torch.arange(len(row)), row] = -torch.inf
            nearest = near.topk(depth, dim=1).indices
            yield Ranked(row=row, hit=points.group[nearest] == points.group[row].unsqueeze(1))


def _closeness(left: Tensor, right: Tensor, closeness: Closeness) -> Tensor:
    return left @ right.T if closeness == "cosine" else -torch.cdist(left, right)
