import pytest
import torch
from torch.distributions import Normal

from evenkeel.errors import ShapeError
from evenkeel.losses import cross_entropy, nll


def plain(log_probability, target):
    return -torch.stack([row[index] for row, index in zip(log_probability, target, strict=True)])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_equals_cross_entropy_under_a_softmax(reduction):
    logits, target = torch.randn(6, 4, dtype=torch.float64), torch.randint(4, (6,))
    expected = cross_entropy(logits, target, reduction=reduction)
    assert torch.allclose(nll(torch.log_softmax(logits, -1), target, reduction=reduction), expected, rtol=1e-14)


def test_a_distribution_is_asked_for_its_log_density():
    distribution, target = Normal(torch.zeros(2, 3), 2.0), torch.randn(3)
    expected = -distribution.log_prob(target)
    assert torch.equal(nll(distribution, target, reduction="none"), expected)
    assert torch.equal(nll(distribution, target), expected.mean())


def test_classes_must_be_whole_numbers():
    with pytest.raises(ShapeError, match=r"whole numbers, one class per row, got torch.float32; try target.long\(\)"):
        nll(torch.zeros(2, 3), torch.zeros(2))
