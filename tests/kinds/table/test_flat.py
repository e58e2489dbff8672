import torch
from torch import nn

from _small import small_dataset
from evenkeel.kinds.table.flat import FlatInputs, flatten, linear_matrix, tree_matrix


def test_one_matrix_for_a_net_that_takes_one_tensor():
    numbers = torch.tensor([[1.0, torch.nan], [2.0, 3.0]])
    codes = torch.tensor([[2], [0]], dtype=torch.int32)
    expected = torch.tensor([[1.0, 0, 0, 1, 0, 0, 1], [2, 3, 0, 0, 1, 0, 0]])
    assert torch.equal(flatten(numbers, codes, (3,)), expected)
    assert torch.equal(FlatInputs(nn.Identity(), (3,))(numbers, codes), expected)


def test_matrices_of_plain_models_have_flags_only_where_a_column_misses_values():
    data = small_dataset("regression")
    rows = torch.tensor([3, 0])
    linear, trees = linear_matrix(data, rows), tree_matrix(data, rows)
    levels = sum(data.schema.levels)
    assert linear.shape == (2, 2 + 1 + levels), "two numbers, one of which has gaps"
    assert trees.shape == (2, 2 + len(data.schema.levels)) and trees.dtype == "float64"
