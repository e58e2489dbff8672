import numpy as np
import pytest
import torch

from _unchecked import unchecked
from evenkeel.errors import RequestError, ShapeError
from evenkeel.metrics import embeddings as _embeddings
from evenkeel.metrics.embeddings import grouped, ranked, tiles, unit_rows


def test_rows_become_one_long_and_zero_stays_zero():
    found = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert found.tolist() == [[0.6, 0.8], [0.0, 0.0]] and found.dtype == torch.float64


def test_groups_are_counted_whatever_their_numbers():
    given = grouped(torch.eye(3), torch.tensor([70, -1, 70]))
    assert given.group.tolist() == [1, 0, 1] and given.size.tolist() == [1, 2]
    assert torch.equal(grouped(2 * torch.eye(3), torch.zeros(3), "euclidean").embedding, 2 * torch.eye(3).double())


def test_what_is_no_embedding_or_no_group_is_refused():
    with pytest.raises(
        ShapeError, match=r"embedding must be \(row, unit\), got \(2, 3, 4\); try embedding.flatten\(1\)"
    ):
        unit_rows(torch.zeros(2, 3, 4))
    with pytest.raises(ShapeError, match=r"one number per row \(3,\), .* got \(2,\); try target.flatten\(\)"):
        grouped(torch.eye(3), torch.zeros(2))
    with unchecked(), pytest.raises(RequestError, match="'cosine' or 'euclidean', got 'dot'; try 'cosine'"):
        grouped(torch.eye(3), torch.zeros(3), "dot")


def test_a_tile_is_never_larger_than_its_budget(monkeypatch):
    monkeypatch.setattr(_embeddings, "TILE", 100)
    parts = list(tiles(30))
    assert torch.equal(torch.cat(parts), torch.arange(30)) and max(map(len, parts)) * 30 <= 100


@pytest.mark.parametrize("closeness", ["cosine", "euclidean"])
def test_ranks_agree_with_a_full_sort_whatever_the_tiles(closeness, monkeypatch):
    monkeypatch.setattr(_embeddings, "TILE", 90)
    embedding, group = torch.randn(25, 3, dtype=torch.float64), torch.randint(4, (25,))
    group[3] = 9  # alone: it does not ask
    given = grouped(embedding, group, closeness)
    for part in ranked(given, 5, closeness):
        for row, hit in zip(part.row.tolist(), part.hit, strict=True):
            x = given.embedding
            far = -(x @ x[row]) if closeness == "cosine" else (x - x[row]).norm(dim=1)
            order = [j for j in far.argsort().tolist() if j != row][:5]
            assert hit.tolist() == [bool(group[j] == group[row]) for j in order]
    assert 3 not in torch.cat([part.row for part in ranked(given, 5, closeness)])


def test_identical_rows_find_each_other_and_not_themselves():
    given = grouped(torch.ones(3, 2), torch.tensor([0, 0, 1]))
    (part,) = ranked(given, 10, "cosine")
    assert part.hit.shape == (2, 2) and part.hit.sum(1).tolist() == [1, 1]
