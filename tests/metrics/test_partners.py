import pytest
import torch

from evenkeel.errors import RequestError, ShapeError
from evenkeel.metrics import embeddings as _embeddings
from evenkeel.metrics.examples import pairs
from evenkeel.metrics.partners import partner_ranks


def plain_ranks(embedding, target, asking):
    """Row by row, all of the other side sorted by cosine, strangers first where they are as close."""
    unit = embedding / embedding.norm(dim=2, keepdim=True)
    query, key = (unit[:, 0], unit[:, 1]) if asking == "left" else (unit[:, 1], unit[:, 0])
    ranks = []
    for i in range(len(unit)):
        order = sorted(range(len(unit)), key=lambda j: (-float(query[i] @ key[j]), bool(target[j] == target[i])))
        strangers = 0
        for j in order:
            if target[j] == target[i]:
                break
            strangers += 1
        ranks.append(1 + strangers)
    return ranks


@pytest.mark.parametrize("tile", [50, 2**20])
@pytest.mark.parametrize("asking", ["left", "right"])
def test_agrees_with_sorting(asking, tile, monkeypatch):
    monkeypatch.setattr(_embeddings, "TILE", tile)
    embedding, target = pairs(30, torch.Generator().manual_seed(1))
    assert len(target.unique()) < 30, "some pairs of the example are alike"
    (found,) = partner_ranks(embedding, target, asking)
    assert found.tolist() == plain_ranks(embedding, target, asking)
    assert torch.equal(partner_ranks(embedding, target)[asking == "right"], found)


def test_embeddings_that_are_all_the_same_find_nothing():
    assert partner_ranks(torch.ones(5, 2, 3), torch.arange(5), "left")[0].tolist() == [5] * 5
    assert partner_ranks(torch.ones(5, 2, 3), torch.zeros(5), "left")[0].tolist() == [1] * 5


def test_what_makes_no_sense():
    with pytest.raises(RequestError, match="asking must be 'left', 'right' or 'both', got 'up'; try 'both'"):
        partner_ranks(torch.ones(2, 2, 3), torch.arange(2), "up")
    with pytest.raises(ShapeError, match=r"embeddings of pairs must be \(row, 2, unit\), got \(4, 3\)"):
        partner_ranks(torch.ones(4, 3), torch.arange(4))
    with pytest.raises(ShapeError, match=r"one number per row \(4,\), the same where pairs are alike, got \(3,\)"):
        partner_ranks(torch.ones(4, 2, 3), torch.arange(3))
