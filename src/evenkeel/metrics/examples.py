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


def embeddings(rows: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Embeddings of three groups, near the center of their group, with the number of the group."""
    center = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    group = torch.randint(3, (rows,), generator=generator)
    return center[group] + torch.randn(rows, 4, generator=generator, dtype=torch.float64), group


def pairs(rows: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Embeddings of two sides, the right near the left, with a number for each pair; a few pairs are alike."""
    left = torch.randn(rows, 1, 4, generator=generator, dtype=torch.float64)
    noise = torch.randn(rows, 2, 4, generator=generator, dtype=torch.float64)
    return left + noise, torch.randint(2 * rows, (rows,), generator=generator)


def tokens(rows: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Log-probabilities of the tokens that came, five steps a row, and the tokens; some steps are left out (-100)."""
    target = torch.randint(-2, 7, (rows, 5), generator=generator)
    log_probability = torch.rand(rows, 5, generator=generator, dtype=torch.float64).log()
    return log_probability, torch.where(target < 0, -100, target)


def latents(rows: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Means and log-variances of three latent dimensions, the last of which hardly moves, and what was encoded."""
    mean, log_variance = torch.randn(2, rows, 3, generator=generator, dtype=torch.float64)
    mean = mean * torch.tensor([1.0, 0.5, 0.01], dtype=torch.float64)
    return torch.cat([mean, log_variance], 1), torch.randn(rows, 2, generator=generator, dtype=torch.float64)
