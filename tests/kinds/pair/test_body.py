import torch
from torch import nn

from evenkeel.kinds.pair.body import PairBody, Tower


class Doubled(nn.Module):
    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        return 2 * numbers


def body(towers: int) -> PairBody:
    return PairBody([Tower(Doubled(), 3, 5, 1) for _ in range(towers)])


def test_each_side_goes_through_its_own_tower():
    both = body(2)
    left, right = torch.randn(4, 3), torch.randn(4, 3)
    features = both(left_numbers=left, right_numbers=right)
    assert features.shape == (4, 2, 5)
    torch.testing.assert_close(features[:, 0], both.towers[0].project(2 * left))
    torch.testing.assert_close(features[:, 1], both.towers[1].project(2 * right))
    torch.testing.assert_close(both(right_numbers=right), features[:, 1])
    torch.testing.assert_close(both(left_numbers=left), features[:, 0])


def test_one_tower_reads_both_sides():
    both = body(1)
    same = torch.randn(4, 3)
    features = both(left_numbers=same, right_numbers=same)
    assert torch.equal(features[:, 0], features[:, 1])
    assert len(list(both.parameters())) == 2


def test_depth_is_that_of_the_map_to_the_shared_space():
    assert len(Tower(Doubled(), 3, 5, 1).project) == 1
    deep = Tower(Doubled(), 3, 5, 3)
    assert deep(numbers=torch.randn(4, 3)).shape == (4, 5) and len(deep.project) == 5
