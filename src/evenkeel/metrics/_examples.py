"""Random predictions with their targets, one maker for each kind of prediction."""

import torch
from torch import Generator, Tensor
from torch.distributions import Normal


def values(rows: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Predicted values that are right up to noise."""
    target = torch.randn(rows, generator=generator, dtype=torch.float64)
    return target + 0.5 * torch.randn(rows, generator=generator, dtype=torch.float64), target


def normals(rows: int, generator: Generator) -> tuple[Normal, Tensor]:
    """Predicted normal distributions with targets near them."""
    mean, target = values(rows, generator)
    return Normal(mean, 0.3 + torch.rand(rows, generator=generator, dtype=torch.float64)), target


def classes(rows: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Probabilities of three classes with targets drawn from them."""
    probability = torch.randn(rows, 3, generator=generator, dtype=torch.float64).softmax(-1)
    return probability, torch.multinomial(probability, 1, generator=generator).squeeze(-1)


def labels(rows: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Probabilities of three labels with targets drawn from them."""
    probability = torch.rand(rows, 3, generator=generator, dtype=torch.float64)
    return probability, torch.bernoulli(probability, generator=generator)
