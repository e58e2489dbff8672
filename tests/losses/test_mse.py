import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.losses import mse


def plain(prediction, target, weight=1.0):
    return weight * (prediction - target) ** 2


def test_weighted_mean_divides_by_the_weights():
    value = mse(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 0.0]), weight=torch.tensor([3.0, 1.0]))
    assert value == (3 * 1 + 1 * 4) / 4


def test_weights_of_zero_remove_a_row_and_all_of_them_give_zero():
    prediction = torch.tensor([1.0, 2.0], requires_grad=True)
    assert mse(prediction, torch.tensor([0.0, torch.inf]), weight=torch.tensor([1.0, 0.0])) == 1
    nothing = mse(prediction, torch.zeros(2), weight=torch.zeros(2))
    assert nothing == 0 and torch.equal(torch.autograd.grad(nothing, prediction)[0], torch.zeros(2))


def test_a_column_against_a_row_is_refused():
    with pytest.raises(ShapeError, match=r"shape of the output, \(3, 1\), or its last axes, got \(3,\); try target"):
        mse(torch.zeros(3, 1), torch.zeros(3))
