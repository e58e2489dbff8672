import pytest
import torch
from torch import nn

from evenkeel import nets
from evenkeel.errors import RequestError
from evenkeel.kinds.sequence.body import Ensemble, SequenceBody


class Sum(nn.Module):
    """Sums so far, as features of each step."""

    def forward(self, values, lengths=None):
        return values.cumsum(1)


def test_gives_the_real_steps_in_the_order_of_the_answers():
    values = torch.arange(6.0).view(2, 3, 1) + 1
    body = SequenceBody(Sum(), "step")
    assert body(values).flatten().tolist() == [1, 3, 6, 4, 9, 15]
    assert body(values, torch.tensor([1, 3])).flatten().tolist() == [1, 4, 9, 15]


def test_gives_one_vector_of_each_sequence():
    body = SequenceBody(nets.CNN(2, dimensions=1, width=8), "example")
    assert body(torch.zeros(3, 9, 2), torch.tensor([9, 4, 1])).shape == (3, 64)


@pytest.mark.parametrize("net", ["cnn", "rnn", "transformer"])
def test_padding_changes_nothing(net):
    options = {"width": 32, **({"dimensions": 1} if net == "cnn" else {"direction": "both"})}
    body = SequenceBody(nets.PARTS[net].call(2, **options), "example").eval()
    values, lengths = torch.randn(3, 9, 2), torch.tensor([9, 4, 1])
    together = body(values, lengths)
    for row, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(body(values[row : row + 1, :length]), together[row : row + 1], atol=1e-4, rtol=1e-4)


def test_a_net_without_lengths_reads_equal_sequences_alone():
    body = SequenceBody(nn.Flatten(), "example")
    assert body(torch.zeros(3, 4, 2)).shape == (3, 8)
    with pytest.raises(RequestError, match="add the argument lengths"):
        body(torch.zeros(3, 4, 2), torch.tensor([4, 2, 1]))


def test_members_answer_each_step_for_themselves():
    nets_ = [nets.RNN(2, width=8, pooling=None) for _ in range(3)]
    body, values, lengths = SequenceBody(Ensemble(nets_), "step").eval(), torch.randn(2, 5, 2), torch.tensor([5, 2])
    found = body(values, lengths)
    assert found.shape == (3, 7, 8) and body(values).shape == (3, 10, 8)
    for member, net in enumerate(nets_):
        apart = net(values, lengths)
        torch.testing.assert_close(found[member], torch.cat([apart[0], apart[1, :2]]))


def test_members_are_given_the_same_and_answer_each_for_itself():
    nets_ = [nets.CNN(2, dimensions=1, width=8) for _ in range(3)]
    body, values, lengths = SequenceBody(Ensemble(nets_), "example").eval(), torch.randn(4, 9, 2), torch.arange(1, 5)
    found = body(values, lengths)
    for member, net in enumerate(nets_):
        torch.testing.assert_close(found[member], net(values, lengths))
