import pytest
import torch

from evenkeel import heads
from evenkeel.errors import DataError
from heads._cases import plain_loss


def base_rate(loss, target):
    """Of predicting the frequency of each label."""
    return plain_loss(loss, target.double().mean(0).logit().expand_as(target), target)


@pytest.mark.parametrize("members", [None, 3])
def test_each_label_is_decided_by_itself(members):
    head = heads.MultiLabel(4, labels=3, members=members)
    output = 10 * torch.randn(*(() if members is None else (members,)), 6, 3)
    found = head.probability(output)
    expected = output.sigmoid() if members is None else output.sigmoid().mean(0)
    torch.testing.assert_close(found, expected)
    assert torch.equal(head.predict(output), found > 0.5)


def test_the_start_is_the_weighted_frequency_of_each_label():
    head = heads.MultiLabel(4, labels=2)
    head.start(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), torch.tensor([2.0, 1.0, 1.0]))
    torch.testing.assert_close(head.linear.bias.detach().sigmoid(), torch.tensor([0.5, 0.5]))


def test_a_label_that_never_or_always_occurs_has_finite_odds():
    head = heads.MultiLabel(4, labels=2)
    head.start(torch.tensor([[0.0, 1.0]] * 50))
    found = head.probability(head(torch.zeros(1, 4)))[0]
    assert 0 < found[0] < 0.02 and 0.98 < found[1] < 1


@pytest.mark.parametrize("target", [torch.tensor([[2.0, 0.0]]), torch.zeros(3, 5)])
def test_other_targets_are_refused(target):
    with pytest.raises(DataError, match=r"0 or 1 in each of 2 labels, got shape .* need task='single-label'"):
        heads.MultiLabel(4, labels=2).start(target)
