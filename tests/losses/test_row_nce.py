import pytest
import torch

from evenkeel.losses.row_nce import Positives, row_nce
from losses._nce import assert_same, scores


@pytest.mark.parametrize(
    "layout", [Positives(), Positives(positive=2), Positives(positive=3, own=0), Positives(positive=0, own=2)]
)
@pytest.mark.parametrize(("rows", "keys"), [(4, 7), (300, 700)])  # one block, several
@pytest.mark.parametrize("temperature", [0.5, 0.01])
def test_agrees_with_the_full_matrix(layout, rows, keys, temperature):
    query, key = torch.randn(rows, 3).double().requires_grad_(), (9 * torch.randn(keys, 3)).double().requires_grad_()
    matrix, here = scores(query, key, temperature), torch.arange(rows)
    if layout.own is not None:
        matrix = matrix.masked_fill(here.unsqueeze(1) + layout.own == torch.arange(keys), -torch.inf)
    expected = torch.logsumexp(matrix, 1)
    if layout.positive is not None:
        expected = expected - matrix[here, here + layout.positive]
    assert_same(row_nce(query, key, temperature, layout), expected, (query, key))


def test_the_temperature_receives_its_gradient():
    query, key = torch.randn(2, 5, 3, dtype=torch.float64)
    temperature = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    expected = -torch.log_softmax(scores(query, key, temperature), 1).diagonal()
    assert_same(row_nce(query, key, temperature, Positives(positive=0)), expected, (temperature,))


def test_nothing_to_sum_is_minus_infinity_with_zero_gradient():
    query = torch.randn(2, 3, requires_grad=True)
    value = row_nce(query, torch.randn(0, 3), 0.1, Positives())
    assert value.tolist() == [-torch.inf] * 2
    assert torch.equal(torch.autograd.grad(value.sum(), query)[0], torch.zeros(2, 3))
