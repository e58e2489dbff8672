"""Similarities tile by tile: a block of rows against all columns, so that N x N numbers never exist at once."""

from collections.abc import Iterator

import torch

CPU_TILE = 2**19
"""Numbers in a tile on the CPU: 2 MiB of float32, which stays in the cache between the passes over it."""

GPU_TILE = 2**24
"""Numbers in a tile on a GPU: 64 MiB of float32, enough to keep it busy."""

LEAST_ROWS = 32
"""Rows of a tile, however long they are: products of fewer rows waste the machine."""


def tiles(rows: int, columns: int, device: torch.device) -> Iterator[tuple[int, int]]:
    """The (first, last + 1) rows of each tile."""
    size = CPU_TILE if device.type == "cpu" else GPU_TILE
    height = max(LEAST_ROWS, size // max(columns, 1))
    for first in range(0, rows, height):
        yield first, min(first + height, rows)
