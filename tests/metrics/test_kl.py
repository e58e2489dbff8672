import pytest
import torch
from torch.distributions import Normal, kl_divergence

from evenkeel.metrics import kl


def plain(latent, target=None):
    """From torch's distributions, row by row."""
    mean, log_variance = latent[:, :3], latent[:, 3:]
    prior = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return float(kl_divergence(Normal(mean, (log_variance / 2).exp()), prior).sum(1).mean())


def test_a_collapsed_code_says_nothing():
    assert kl(torch.zeros(5, 8)) == 0
    assert kl(torch.tensor([[0.0, 0.0], [2.0, 0.0]]), weight=torch.tensor([1.0, 3.0])) == pytest.approx(1.5)
