import pytest
import torch
from torch import nan

from evenkeel.errors import DataError
from evenkeel.heads.pairing import check_together, pair, spread_to_rows


def test_rows_of_one_number_are_a_pair_the_first_one_on_the_left():
    output, target = torch.arange(12.0).reshape(6, 2), torch.tensor([7, 3, 3, 9, 7, 9])
    left, right = pair(output, target, "info_nce")
    assert torch.equal(left, output[[1, 0, 3]]) and torch.equal(right, output[[2, 4, 5]])
    values = spread_to_rows(torch.tensor([3.0, 7.0, 9.0]), output, target)
    assert values.tolist() == target.tolist()


def test_partners_and_views_are_taken_as_they_are():
    output, partner = torch.randn(2, 4, 3)
    assert all(torch.equal(*both) for both in zip(pair(output, partner, "nt_xent"), (output, partner), strict=True))
    views = torch.randn(4, 2, 3)
    assert torch.equal(pair(views, None, "nt_xent")[1], views[:, 1])
    assert len(pair(torch.randn(4, 3, 5), None, "triplet")) == 3
    assert spread_to_rows(torch.arange(4.0), views, None).tolist() == [0, 1, 2, 3]
    assert spread_to_rows(torch.arange(8.0), views, torch.arange(4)).tolist() == [0.5, 2.5, 4.5, 6.5]


WRONG = [
    (
        "nt_xent_from_labels",
        torch.rand(4),
        r"one whole number a row, .* got float32 of shape \(4,\); try loss='info_nce'",
    ),
    ("triplet_from_labels", None, "same where rows belong together, got None"),
    ("nt_xent_from_labels", torch.arange(4), "got 4 different numbers in a batch of 4; try batches with at least two"),
    ("contrastive", torch.tensor([0, 1, 2]), "1 for a pair that is the same and 0 for one that differs, .* got int64"),
    ("contrastive", None, "got None; try loss='nt_xent_from_labels'"),
    ("info_nce", torch.tensor([0, 0, 0, 1, 1]), "each whole number exactly twice, once for each of a pair"),
    ("nt_xent", torch.tensor([1.0, 0.0]), "nt_xent needs each whole number exactly twice"),
    ("triplet", torch.tensor([0, 0, 1, 1]), "triplet needs None or ones"),
    ("info_nce", torch.full((2, 3), nan), "not finite"),
]


@pytest.mark.parametrize(("loss", "target", "message"), WRONG)
def test_a_target_that_does_not_say_who_belongs_together_is_refused(loss, target, message):
    with pytest.raises(DataError, match=message):
        check_together(target, loss)


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        ("nt_xent_from_labels", torch.tensor([5, 5, 1])),
        ("contrastive", torch.tensor([True, False])),
        ("info_nce", torch.tensor([0, 1, 1, 0])),
        ("info_nce", torch.ones(3)),
        ("info_nce", torch.rand(3, 4)),
        ("nt_xent", None),
        ("triplet", None),
    ],
)
def test_a_target_that_says_it_passes(loss, target):
    check_together(target, loss)


@pytest.mark.parametrize(
    ("loss", "output", "target", "message"),
    [
        ("contrastive", torch.rand(4, 3), torch.ones(4), r"output \(batch, 2, unit\); got .* heads.Towers\(net\)"),
        (
            "info_nce",
            torch.rand(4, 3),
            None,
            r"or \(batch, unit\) with partners or their numbers as target; got .*None",
        ),
        ("info_nce", torch.rand(4, 3, 5), None, r"\(batch, 2, unit\).*got \(4, 3, 5\) and None; try 2 views"),
        ("triplet", torch.rand(4, 2, 5), None, r"compares 3 embeddings a row: output \(batch, 3, unit\); got"),
        ("info_nce", torch.rand(4, 3), torch.tensor([0, 0, 0, 1]), "each whole number exactly twice"),
    ],
)
def test_an_output_without_the_views_is_refused(loss, output, target, message):
    with pytest.raises(DataError, match=message):
        pair(output, target, loss)
