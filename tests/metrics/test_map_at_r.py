import pytest
import torch
from sklearn.metrics import average_precision_score

from evenkeel.metrics import embeddings as _embeddings
from evenkeel.metrics import map_at_r


def plain(embedding, target, weight=None):
    """Row by row, rank by rank."""
    unit = embedding / embedding.norm(dim=1, keepdim=True)
    score, total = 0.0, 0.0
    for i in range(len(unit)):
        others = sorted((j for j in range(len(unit)) if j != i), key=lambda j: -float(unit[i] @ unit[j]))
        size = sum(bool(target[j] == target[i]) for j in others)
        if not size:
            continue
        hits, average = 0, 0.0
        for rank, j in enumerate(others[:size], start=1):
            if target[j] == target[i]:
                hits += 1
                average += hits / rank
        share = 1.0 if weight is None else float(weight[i])
        score += share * average / size
        total += share
    return score / total


@pytest.mark.parametrize("tile", [50, 2**20])
def test_weights_and_groups_of_all_sizes(tile, monkeypatch):
    monkeypatch.setattr(_embeddings, "TILE", tile)
    embedding, weight = torch.randn(40, 3).double(), torch.rand(40)
    target = torch.cat([torch.zeros(20), torch.ones(12), torch.full((7,), 2.0), torch.tensor([3.0])]).long()
    assert map_at_r(embedding, target, weight) == pytest.approx(plain(embedding, target, weight))


def test_a_perfect_ranking_has_one_as_average_precision_has():
    embedding = torch.tensor([[1.0, 0.1 * i] for i in range(4)] + [[-1.0, 0.1 * i] for i in range(4)])
    target = torch.tensor([0] * 4 + [1] * 4)
    assert map_at_r(embedding, target) == pytest.approx(1.0)
    score = embedding @ embedding[0]
    assert average_precision_score((target == 0)[1:], score[1:]) == pytest.approx(1.0)


def test_it_is_at_most_average_precision():
    """It stops at R where average precision goes on to the last of the group."""
    embedding, target = torch.randn(30, 4), torch.arange(30) % 3
    unit = embedding / embedding.norm(dim=1, keepdim=True)
    each = []
    for i in range(30):
        rest = torch.arange(30) != i
        each.append(average_precision_score((target == target[i])[rest], (unit @ unit[i])[rest]))
    assert map_at_r(embedding, target) < sum(each) / 30


def test_no_pair_has_no_precision():
    assert map_at_r(torch.randn(3, 2), torch.arange(3)) is None
    assert map_at_r(torch.randn(0, 2), torch.arange(0)) is None
