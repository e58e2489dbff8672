import pytest
import torch

from evenkeel.losses.row_nce import Positives, row_nce
from evenkeel.losses.row_nce_sum import row_nce_sum
from losses._nce import assert_same, scores


@pytest.mark.parametrize("positive", [0, 3])
@pytest.mark.parametrize(("rows", "keys"), [(4, 7), (150, 700)])  # one block, several
@pytest.mark.parametrize("temperature", [0.5, 0.01])
def test_agrees_with_the_full_matrix(positive, rows, keys, temperature):
    query, key = torch.randn(rows, 3).double().requires_grad_(), (9 * torch.randn(keys, 3)).double().requires_grad_()
    log_p = torch.log_softmax(scores(query, key, temperature), 1)
    expected = -log_p.diagonal(positive)[:rows].sum()
    assert_same(3 * row_nce_sum(query, key, temperature, positive), 3 * expected, (query, key))


def test_the_temperature_receives_its_gradient():
    query, key = torch.randn(2, 5, 3, dtype=torch.float64).requires_grad_()
    temperature = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    expected = -torch.log_softmax(scores(query, key, temperature), 1).diagonal().sum()
    assert_same(row_nce_sum(query, key, temperature, 0), expected, (temperature, query))


def test_a_second_backward_pass_gives_the_same_and_leaves_the_first_alone():
    query, key = torch.randn(2, 5, 3, dtype=torch.float64).requires_grad_()
    value = row_nce_sum(query, key, 0.1, 0)
    first = torch.autograd.grad(value, (query, key), torch.tensor(2.0).double(), retain_graph=True)
    kept = [x.clone() for x in first]
    second = torch.autograd.grad(value, (query, key), retain_graph=True)
    for one, copy, two in zip(first, kept, second, strict=True):
        assert torch.equal(one, copy) and torch.allclose(one, 2 * two)


def test_without_a_gradient_none_is_computed():
    query, key = torch.randn(2, 4, 3)
    total = row_nce_sum(query, key, 0.1, 0)
    assert not total.requires_grad
    assert torch.allclose(total, row_nce(query, key, 0.1, Positives(positive=0)).sum())
