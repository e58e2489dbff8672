import math

import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.metrics.tokens import surprise


def test_tokens_left_out_and_rows_of_weight_zero_count_for_nothing():
    logs = torch.tensor([[-1.0, -2.0], [-math.inf, -4.0], [-8.0, -16.0]])
    target = torch.tensor([[5, -100], [0, 1], [2, 3]])
    given = surprise(logs, target, torch.tensor([1.0, 0.0, 2.0]), -100)
    assert given.nats == 1 + 2 * 24 and given.count == 5
    assert given.token.tolist() == [5, 0, 1, 2, 3] and given.weight.tolist() == [1, 0, 0, 2, 2]


def test_one_shape_is_needed():
    with pytest.raises(ShapeError, match="one shape"):
        surprise(torch.zeros(2, 3), torch.zeros(2).long(), None, -100)
