import math

import pytest
import torch

from evenkeel.metrics import embeddings as _embeddings
from evenkeel.metrics import uniformity


def plain(embedding, target=None, weight=None):
    """All pairs, one by one."""
    unit = embedding / embedding.norm(dim=1, keepdim=True)
    weight = torch.ones(len(unit)) if weight is None else weight
    score, total = 0.0, 0.0
    for i in range(len(unit)):
        for j in range(len(unit)):
            if i != j:
                share = float(weight[i] * weight[j])
                score += share * math.exp(-2 * float((unit[i] - unit[j]).square().sum()))
                total += share
    return math.log(score / total)


@pytest.mark.parametrize("tile", [50, 2**20])
def test_pairs_are_weighted_by_both_rows(tile, monkeypatch):
    monkeypatch.setattr(_embeddings, "TILE", tile)
    embedding, weight = torch.randn(30, 3).double(), torch.rand(30).double()
    assert uniformity(embedding, weight=weight) == pytest.approx(plain(embedding, weight=weight))


def test_one_point_is_zero_and_an_even_sphere_is_what_its_size_allows():
    assert uniformity(torch.ones(10, 3)) == pytest.approx(0, abs=1e-12)
    # On the circle |z - z'|² = 2 - 2 cos a, whose exp(-2 ·) has the mean e^-4 I0(4).
    angle = torch.arange(2000) * (2 * math.pi / 2000)
    circle = torch.stack([angle.cos(), angle.sin()], 1).double()
    expected = math.log(math.exp(-4) * float(torch.special.i0(torch.tensor(4.0, dtype=torch.float64))))
    assert uniformity(circle) == pytest.approx(expected, abs=2e-3)


def test_two_rows_are_needed():
    assert uniformity(torch.randn(1, 2)) is None
    assert uniformity(torch.randn(2, 2), weight=torch.tensor([1.0, 0.0])) is None
