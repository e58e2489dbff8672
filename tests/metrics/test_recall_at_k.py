import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from evenkeel.errors import RequestError
from evenkeel.metrics import embeddings as _embeddings
from evenkeel.metrics import recall_at_k


def plain(embedding, target, k=1, weight=None):
    """Row by row, all others sorted by cosine."""
    unit = embedding / embedding.norm(dim=1, keepdim=True)
    score, total = 0.0, 0.0
    for i in range(len(unit)):
        others = [j for j in range(len(unit)) if j != i]
        if not any(target[j] == target[i] for j in others):
            continue
        others.sort(key=lambda j: -float(unit[i] @ unit[j]))
        share = 1.0 if weight is None else float(weight[i])
        score += share * any(target[j] == target[i] for j in others[:k])
        total += share
    return score / total


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("tile", [50, 2**20])
def test_weights_and_more_neighbours(k, tile, monkeypatch):
    monkeypatch.setattr(_embeddings, "TILE", tile)
    embedding, target, weight = torch.randn(40, 3).double(), torch.randint(6, (40,)), torch.rand(40)
    assert recall_at_k(embedding, target, weight, k=k) == pytest.approx(plain(embedding, target, k, weight))


@pytest.mark.parametrize("closeness", ["cosine", "euclidean"])
def test_agrees_with_scikit_learn(closeness):
    embedding, target = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 5
    found = NearestNeighbors(n_neighbors=3, metric=closeness).fit(embedding).kneighbors(return_distance=False)
    expected = (target[found] == target[:, None]).any(1).mean()
    assert recall_at_k(embedding, target, k=3, closeness=closeness) == pytest.approx(expected)


def test_no_pair_has_no_recall_and_no_neighbour_is_refused():
    assert recall_at_k(torch.randn(3, 2), torch.arange(3)) is None
    assert recall_at_k(torch.randn(0, 2), torch.arange(0)) is None
    assert recall_at_k(torch.randn(3, 2), torch.zeros(3), k=99) == 1
    with pytest.raises(RequestError, match="k must be 1 or more neighbours, got 0; try k=1"):
        recall_at_k(torch.randn(3, 2), torch.arange(3), k=0)
