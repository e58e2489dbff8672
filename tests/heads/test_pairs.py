import pytest
import torch

from evenkeel import heads, metrics
from evenkeel.errors import DataError
from evenkeel.heads.for_task import head_for
from evenkeel.train.scores import scores
from heads import test_embedding as embedding


def base_rate(loss, target):
    """As of groups."""
    return embedding.base_rate(loss, target)


def head(**options):
    return heads.Embedding(6, units=4, **options)


def test_pairs_are_embedded_by_the_embedding_head_and_judged_as_pairs():
    part = head_for("embedding", "pairs")
    assert part is heads.PARTS["pairs"] and part.call is heads.Embedding
    assert head_for("embedding").name == head_for("embedding", "groups").name == "embedding"


def test_its_metrics_are_those_of_the_partners():
    given = head(loss="info_nce", views=2)
    points, numbers = torch.randn(30, 2, 4), torch.arange(30)
    found = scores(heads.PARTS["pairs"], given, points, numbers)
    assert list(found) == list(heads.PARTS["pairs"].metrics)
    assert found["left_recall_at_5"] == metrics.partner_recall(points, numbers, k=5, asking="left")
    assert found["right_recall_at_10"] == metrics.partner_recall(points, numbers, k=10, asking="right")
    assert found["partner_recall"] == metrics.partner_recall(points, numbers)
    assert found["partner_rank"] == metrics.partner_rank(points, numbers)


@pytest.mark.parametrize("loss", ["info_nce", "nt_xent"])
def test_numbers_of_pairs_that_are_alike_need_not_come_twice(loss):
    features, numbers = torch.randn(5, 2, 6), torch.tensor([0, 0, 0, 1, 2])
    given = head(loss=loss, views=2)
    given.start(numbers)
    value = given.loss(given(features), numbers)
    assert value == given.loss(given(features), None)
    with pytest.raises(DataError, match="needs each whole number exactly twice"):
        head(loss=loss).start(numbers)
