import torch
from torch import nn

from evenkeel.kinds.table.flat import FlatInputs, flatten


def test_one_matrix_for_a_net_that_takes_one_tensor():
    numbers = torch.tensor([[1.0, torch.nan], [2.0, 3.0]])
    codes = torch.tensor([[2], [0]], dtype=torch.int32)
    expected = torch.tensor([[1.0, 0, 0, 1, 0, 0, 1], [2, 3, 0, 0, 1, 0, 0]])
    assert torch.equal(flatten(numbers, codes, (3,)), expected)
    assert torch.equal(FlatInputs(nn.Identity(), (3,))(numbers, codes), expected)
