import pytest
import torch

from evenkeel.errors import RequestError
from evenkeel.losses.reduce import reduce, reduce_weighted

VALUES = torch.tensor([1.0, 3.0, torch.inf])


def test_a_zero_weight_removes_an_infinite_value():
    weight = torch.tensor([1.0, 3.0, 0.0])
    assert reduce(VALUES, "mean", weight=weight) == 2.5
    assert reduce(VALUES, "sum", weight=weight) == 10
    assert reduce(VALUES, "none", weight=weight).tolist() == [1, 9, 0]


def test_the_mean_of_nothing_is_zero():
    assert reduce(torch.zeros(0), "mean") == 0
    assert reduce_weighted(torch.zeros(2), "mean", torch.tensor(0)) == 0
    assert reduce_weighted(torch.tensor([2.0, 4.0]), "mean", torch.tensor(3)) == 2


def test_an_unknown_reduction_is_named():
    with pytest.raises(RequestError, match="reduction must be 'mean', 'sum' or 'none', got 'average'; try 'mean'"):
        reduce(VALUES, "average")
