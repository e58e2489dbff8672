import pytest
import torch

from evenkeel.losses.self_nce import self_nce
from losses._nce import assert_same, scores


def _twin(views, temperature):
    count = len(views)
    matrix = scores(views, views, temperature).masked_fill(torch.eye(count, dtype=torch.bool), -torch.inf)
    return -torch.log_softmax(matrix, 1)[torch.arange(count), torch.arange(count).roll(count // 2)]


@pytest.mark.parametrize("count", [2, 6, 700])  # the last takes several blocks
@pytest.mark.parametrize("temperature", [0.5, 0.01])
def test_agrees_with_the_full_matrix(count, temperature):
    views = (2 * torch.randn(count, 4)).double().requires_grad_()
    assert_same(self_nce(views, temperature), _twin(views, temperature), (views,))


def test_the_temperature_receives_its_gradient():
    views = torch.randn(6, 3, dtype=torch.float64)
    temperature = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    assert_same(self_nce(views, temperature), _twin(views, temperature), (temperature,))
