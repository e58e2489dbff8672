import torch

from _small import small_dataset
from evenkeel.kinds.table.baselines import linear_matrix, tree_matrix


def test_matrices_of_plain_models_have_flags_only_where_a_column_misses_values():
    data = small_dataset("regression")
    rows = torch.tensor([3, 0])
    linear, trees = linear_matrix(data, rows), tree_matrix(data, rows)
    levels = sum(data.schema.levels)
    assert linear.shape == (2, 2 + 1 + levels), "two numbers, one of which has gaps"
    assert trees.shape == (2, 2 + len(data.schema.levels)) and trees.dtype == "float64"
