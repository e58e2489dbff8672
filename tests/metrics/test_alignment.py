import pytest
import torch

from evenkeel.metrics import alignment


def plain(embedding, target, weight=None):
    """All pairs, one by one."""
    unit = embedding / embedding.norm(dim=1, keepdim=True)
    weight = torch.ones(len(unit)) if weight is None else weight
    score, total = 0.0, 0.0
    for i in range(len(unit)):
        for j in range(len(unit)):
            if i != j and target[i] == target[j]:
                share = float(weight[i] * weight[j])
                score += share * float((unit[i] - unit[j]).square().sum())
                total += share
    return score / total


def test_pairs_are_weighted_by_both_rows():
    embedding, target, weight = torch.randn(20, 3).double(), torch.randint(5, (20,)), torch.rand(20).double()
    assert alignment(embedding, target, weight) == pytest.approx(plain(embedding, target, weight))


def test_length_plays_no_part_and_equal_directions_are_aligned():
    one = torch.tensor([[1.0, 2.0], [2.0, 4.0], [-1.0, 0.0]])
    assert alignment(one, torch.tensor([0, 0, 1])) == pytest.approx(0, abs=1e-12)
    assert alignment(one[[0, 2]] * 5, torch.zeros(2)) == pytest.approx(plain(one[[0, 2]], torch.zeros(2)))


def test_no_pair_has_no_alignment():
    assert alignment(torch.randn(3, 2), torch.arange(3)) is None
    assert alignment(torch.randn(3, 2), torch.tensor([0, 0, 1]), torch.tensor([1.0, 0.0, 1.0])) is None
