import numpy as np
import pytest
import torch

from evenkeel.errors import RequestError
from evenkeel.metrics import partner_recall
from metrics.test_partners import plain_ranks


def plain(embedding, target, k=1):
    """The mean of both directions, row by row."""
    each = [np.mean([rank <= k for rank in plain_ranks(embedding, target, side)]) for side in ("left", "right")]
    return float(np.mean(each))


@pytest.mark.parametrize("k", [1, 3, 99])
def test_more_neighbours_find_more(k):
    embedding = torch.randn(25, 2, 3, dtype=torch.float64)
    found = partner_recall(embedding, torch.arange(25), k=k)
    assert found == pytest.approx(plain(embedding, torch.arange(25), k))
    assert found <= partner_recall(embedding, torch.arange(25), k=k + 1)


def test_a_weight_is_that_of_the_row_that_asks():
    embedding = torch.tensor([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.1], [-1.0, 0.0]]])
    assert partner_recall(embedding, torch.arange(2), torch.tensor([3.0, 1.0]), asking="left") == 0.75
    assert partner_recall(embedding, torch.arange(2), torch.zeros(2)) is None
    assert partner_recall(torch.empty(0, 2, 3), torch.empty(0)) is None


def test_no_neighbour_is_refused():
    with pytest.raises(RequestError, match="k must be 1 or more neighbours, got 0; try k=1"):
        partner_recall(torch.randn(3, 2, 2), torch.arange(3), k=0)
