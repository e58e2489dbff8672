import pytest
import torch

from evenkeel import heads
from evenkeel.errors import DataError
from heads._cases import frequencies, plain_loss


def base_rate(loss, target):
    """Of predicting the frequencies."""
    return plain_loss(loss, frequencies(target).log().expand(len(target), -1), target)


@pytest.mark.parametrize("members", [None, 3])
def test_probabilities_add_up_to_one_and_the_prediction_is_the_likeliest(members):
    head = heads.SingleLabel(4, classes=5, members=members)
    output = 100 * torch.randn(*(() if members is None else (members,)), 7, 5)
    found = head.probability(output)
    torch.testing.assert_close(found.sum(1), torch.ones(7))
    assert (found >= 0).all() and torch.equal(head.predict(output), found.argmax(1))


def test_an_ensemble_averages_probabilities_not_logits():
    head = heads.SingleLabel(4, classes=2, members=2)
    output = torch.tensor([[[100.0, 0.0]], [[0.0, 1.0]]])
    expected = output.softmax(-1).mean(0)
    torch.testing.assert_close(head.probability(output), expected)


def test_the_start_is_the_weighted_frequency_of_each_class():
    head = heads.SingleLabel(4, classes=3)
    head.start(torch.tensor([0, 0, 1, 2]), torch.tensor([1.0, 1.0, 4.0, 2.0]))
    torch.testing.assert_close(head.linear.bias.detach().softmax(0), torch.tensor([2.0, 4.0, 2.0]) / 8)


def test_a_class_that_training_lacks_is_rare_not_impossible():
    head = heads.SingleLabel(4, classes=3)
    head.start(torch.tensor([0] * 60 + [1] * 40))
    found = head.probability(head(torch.zeros(1, 4)))[0]
    assert 0 < found[2] < 0.01 and head.loss(head(torch.zeros(1, 4)), torch.tensor([2])).isfinite()


@pytest.mark.parametrize("target", [[0, 3], [-1, 2]])
def test_a_class_outside_is_refused(target):
    with pytest.raises(DataError, match=rf"whole numbers 0..2, got {min(target)}..{max(target)}"):
        heads.SingleLabel(4, classes=3).start(torch.tensor(target))
