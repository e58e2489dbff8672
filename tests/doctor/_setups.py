"""Small training set-ups for the doctor's tests: blobs in the plane, and a line with noise."""

from itertools import pairwise

import torch
from torch import Tensor, nn


def blobs(count: int = 256, size: int = 32, classes: int = 3, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Batches of points around the corners of a polygon, and the number of the corner."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(classes, (count,), generator=generator)
    angle = 2 * torch.pi * y / classes
    x = torch.stack([angle.cos(), angle.sin()], dim=1) * 2 + 0.5 * torch.randn(count, 2, generator=generator)
    return [(x[i : i + size], y[i : i + size]) for i in range(0, count, size)]


def line(count: int = 256, size: int = 32, scale: float = 1.0, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Batches of four numbers, and `scale` times a sum of two of them with noise."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 4, generator=generator)
    y = scale * (x[:, :1] - 0.5 * x[:, 1:2] + 0.1 * torch.randn(count, 1, generator=generator))
    return [(x[i : i + size], y[i : i + size]) for i in range(0, count, size)]


def net(*sizes: int, last: nn.Module | None = None, seed: int = 0) -> nn.Sequential:
    """ReLU layers of these sizes, as torch starts them."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for inside, outside in pairwise(sizes[:-1]):
        layers += [nn.Linear(inside, outside), nn.ReLU()]
    layers.append(nn.Linear(sizes[-2], sizes[-1]))
    return nn.Sequential(*layers, *([last] if last is not None else []))
