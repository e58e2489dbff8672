import numpy as np
import pytest
import torch

from evenkeel.metrics import partner_rank
from metrics.test_partners import plain_ranks


def plain(embedding, target):
    """The mean of the medians of both directions."""
    return float(np.mean([np.median(plain_ranks(embedding, target, side)) for side in ("left", "right")]))


@pytest.mark.parametrize("rows", [1, 2, 9, 10])
def test_the_median_of_an_even_number_of_rows_lies_between(rows):
    embedding = torch.randn(rows, 2, 3, dtype=torch.float64)
    assert partner_rank(embedding, torch.arange(rows)) == plain(embedding, torch.arange(rows))


def test_a_weight_moves_the_median():
    # Left rows 0 and 1 find their partner at once, row 2 last.
    embedding = torch.tensor([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]], [[1.0, 1.0], [-1.0, -1.0]]])
    assert partner_rank(embedding, torch.arange(3), asking="left") == 1
    assert partner_rank(embedding, torch.arange(3), torch.tensor([1.0, 1.0, 9.0]), asking="left") == 3
    assert partner_rank(embedding, torch.arange(3), torch.tensor([1.0, 1.0, 2.0]), asking="left") == 2
    assert partner_rank(torch.empty(0, 2, 3), torch.empty(0)) is None


def test_chance_is_the_middle():
    embedding = torch.randn(400, 2, 16, dtype=torch.float64)
    assert partner_rank(embedding, torch.arange(400)) == pytest.approx(200, abs=40)
