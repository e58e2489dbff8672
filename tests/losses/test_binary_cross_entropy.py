import math

import pytest
import torch

from evenkeel.losses import binary_cross_entropy


def plain(logits, target, positive_weight=1.0, label_smoothing=0.0):
    label = target * (1 - label_smoothing) + label_smoothing / 2
    softplus = torch.log1p(torch.exp(-logits.abs()))
    positive, negative = softplus + (-logits).clamp(min=0), softplus + logits.clamp(min=0)
    return positive_weight * label * positive + (1 - label) * negative


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 3.0])])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_agrees_with_torch(weight, reduction):
    logits, target = 5 * torch.randn(4, 2), torch.randint(2, (4, 2)).float()
    theirs = torch.nn.functional.binary_cross_entropy_with_logits
    expected = theirs(logits, target, pos_weight=weight, reduction=reduction)
    found = binary_cross_entropy(logits, target, positive_weight=weight, reduction=reduction)
    torch.testing.assert_close(found, expected)


def test_whole_and_truth_valued_labels_are_labels():
    logits = torch.randn(3)
    target = torch.tensor([True, False, True])
    assert binary_cross_entropy(logits, target) == binary_cross_entropy(logits, target.long())


def test_smoothing_moves_labels_towards_one_half():
    expected = binary_cross_entropy(torch.tensor([2.0]), torch.tensor([0.9]))
    found = binary_cross_entropy(torch.tensor([2.0]), torch.tensor([1.0]), label_smoothing=0.2)
    assert torch.allclose(found, expected)


def test_first_loss_of_a_zero_head_is_log_two():
    assert binary_cross_entropy(torch.zeros(3, 2), torch.ones(3, 2)) == pytest.approx(math.log(2))
