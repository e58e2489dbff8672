import numpy as np
import pytest
import torch
from torch import nan

from _unchecked import unchecked
from evenkeel import heads
from evenkeel.errors import DataError
from evenkeel.heads.targets import mean_and_spread

WHOLE = torch.tensor([0, 1, 2])
WRONG = [
    (
        lambda: heads.Value(4),
        torch.tensor([1.0, nan, torch.inf]),
        r"2 value\(s\) that are not finite .* in row 1; leave",
    ),
    (lambda: heads.Gaussian(4), torch.tensor([nan]), r"1 value\(s\) that are not finite"),
    (
        lambda: heads.Value(4),
        torch.zeros(3, 1),
        r"one number a row, \(batch,\), got shape \(3, 1\); try target.squeeze",
    ),
    (
        lambda: heads.Value(4),
        torch.zeros(3, 2),
        r"got shape \(3, 2\); try one head for each column, or heads.MultiLabel",
    ),
    (lambda: heads.Positive(4), torch.tensor([1.0, -3.0]), "targets of 0 or more, got -3; try heads.Gaussian"),
    (lambda: heads.Positive(4), torch.tensor([nan]), "not finite"),
    (
        lambda: heads.SingleLabel(4, classes=3),
        torch.zeros(3),
        r"0..2 a row, .* got torch.float32 .*; try target.long\(\)",
    ),
    (
        lambda: heads.SingleLabel(4, classes=3),
        torch.eye(3),
        r"got torch.float32 of shape \(3, 3\); try target.argmax\(1\)",
    ),
    (lambda: heads.SingleLabel(4, classes=3), WHOLE > 0, "got torch.bool of shape"),
    (lambda: heads.SingleLabel(4, classes=3), WHOLE + 1, "numbers 0..2, got 1..3; try class numbers that start at 0"),
    (lambda: heads.SingleLabel(4, classes=3), WHOLE - 1, r"numbers 0..2, got -1..1; try"),
    (
        lambda: heads.MultiLabel(4, labels=3),
        WHOLE,
        r"for each of 3 labels, \(batch, 3\), got whole numbers of shape \(3,\); try functional.one_hot\(target, 3\)",
    ),
    (lambda: heads.MultiLabel(4, labels=3), torch.zeros(3, 2), r"got torch.float32 of shape \(3, 2\); try one column"),
    (
        lambda: heads.MultiLabel(4, labels=3),
        torch.full((2, 3), 2.0),
        r"0 or 1 for each label, got 2..2; try \(target > 0",
    ),
    (lambda: heads.MultiLabel(4, labels=3), torch.full((2, 3), nan), "not finite"),
    (
        lambda: heads.Tokens(4, vocabulary=3),
        torch.zeros(2, 3),
        r"tokens head needs .* got torch.float32 .*tokens\[:, 1:\]",
    ),
    (lambda: heads.Tokens(4, vocabulary=3), WHOLE + 1, "0..2, got 1..3; try a larger vocabulary, or -100 where"),
]


@pytest.mark.parametrize(("make", "target", "message"), WRONG)
def test_a_target_that_cannot_fit_is_refused_before_the_first_step(make, target, message):
    head = make()
    output = head(torch.zeros(len(target), 4))
    with unchecked(), pytest.raises(DataError, match=message):
        head.check(target)
    with unchecked(), pytest.raises(DataError, match=message):
        head.loss(output, target)
    assert not head.checked


@pytest.mark.parametrize(
    ("make", "target"),
    [
        (lambda: heads.Value(4), torch.tensor([1, -2, 3])),
        (lambda: heads.Positive(4), torch.tensor([0.0, 5.0])),
        (lambda: heads.SingleLabel(4, classes=3), torch.tensor([0, 2, -100])),
        (lambda: heads.SingleLabel(4, classes=3), torch.zeros(0, dtype=torch.int64)),
        (lambda: heads.MultiLabel(4, labels=3), torch.tensor([[True, False, True]])),
        (lambda: heads.MultiLabel(4, labels=3), torch.full((2, 3), 0.9)),
        (lambda: heads.Tokens(4, vocabulary=3), torch.tensor([[0, 2, -100]])),
        (lambda: heads.Tokens(4, vocabulary=3, options={"ignore_index": -1}), torch.tensor([[0, 2, -1]])),
    ],
)
def test_a_target_that_fits_passes(make, target):
    make().check(target)


def test_mean_and_spread_are_weighted_and_exact():
    target, weight = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 1.0, 2.0])
    mean, spread = mean_and_spread(target, weight)
    copies = np.array([1.0, 2.0, 4.0, 4.0])
    assert mean.item() == pytest.approx(copies.mean()) and spread.item() == pytest.approx(copies.std())
    assert mean.dtype == torch.float64


def test_a_constant_target_has_spread_one():
    assert mean_and_spread(torch.full((5,), 7.0), None)[1] == 1
