import numpy as np
import torch

from evenkeel.metrics import active_units


def plain(latent, target=None):
    """Column by column."""
    return float(sum(np.var(latent[:, d].numpy()) > 0.01 for d in range(latent.shape[1] // 2)))


def test_the_variance_of_the_mean_counts_and_not_that_of_the_code():
    means = torch.tensor([[1.0, 7.0, 0.05], [-1.0, 7.0, -0.05]])
    wide = torch.cat([means, torch.full((2, 3), 3.0)], 1)
    assert active_units(wide) == 1
    assert active_units(wide, threshold=1e-3) == 2
    assert active_units(wide, weight=torch.tensor([1.0, 0.0])) == 0


def test_no_rows_have_no_units():
    assert active_units(torch.zeros(0, 4)) is None
