import math

import numpy as np
import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.metrics.gather import mean, pair, row_weight


def test_pair_is_double_detached_and_of_one_shape():
    left, right = pair(torch.ones(2, requires_grad=True), np.ones(2, dtype=np.float32))
    assert left.dtype == right.dtype == torch.float64 and not left.requires_grad
    with pytest.raises(ShapeError, match=r"got \(3, 1\) and \(3,\); try prediction.reshape\(3,\)"):
        pair(torch.ones(3, 1), torch.ones(3))


def test_rows_are_weighted_whatever_their_columns():
    assert mean(torch.tensor([[1.0, 3.0], [5.0, 5.0]]), torch.tensor([1.0, 3.0])) == 17 / 4
    assert math.isnan(mean(torch.zeros(0), None))
    assert row_weight(None, 2).tolist() == [1, 1]
