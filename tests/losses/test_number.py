import torch

from evenkeel.losses import focal


def test_a_whole_number_is_a_number_where_types_are_checked():
    logits, target = torch.zeros(1, 2), torch.tensor([0])
    assert focal(logits, target, gamma=2) == focal(logits, target, gamma=2.0)
