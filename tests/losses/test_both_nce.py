import pytest
import torch

from evenkeel.losses.both_nce import both_nce
from losses._nce import assert_same, scores


@pytest.mark.parametrize("rows", [1, 4, 600])  # the last takes several blocks
@pytest.mark.parametrize("temperature", [0.5, 0.01])
def test_rows_and_columns_agree_with_the_full_matrix(rows, temperature):
    query, key = torch.randn(rows, 4).double().requires_grad_(), (9 * torch.randn(rows, 4)).double().requires_grad_()
    matrix = scores(query, key, temperature)
    expected = -0.5 * (torch.log_softmax(matrix, 0) + torch.log_softmax(matrix, 1)).diagonal()
    assert_same(both_nce(query, key, temperature), expected, (query, key))


def test_the_temperature_receives_its_gradient():
    query, key = torch.randn(2, 5, 3, dtype=torch.float64)
    temperature = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    matrix = scores(query, key, temperature)
    expected = -0.5 * (torch.log_softmax(matrix, 0) + torch.log_softmax(matrix, 1)).diagonal()
    assert_same(both_nce(query, key, temperature), expected, (temperature,))
