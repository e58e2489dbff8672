import torch

from evenkeel.chain.record.fetch import Fetch


def test_numbers_come_in_the_order_of_the_tensors_whatever_their_types():
    tensors = [torch.tensor(1.5), torch.tensor(3), torch.tensor(2.5, dtype=torch.float64), torch.tensor(True)]
    asked = Fetch([*tensors, torch.tensor(-1.0)])
    assert asked.ready and asked.numbers() == [1.5, 3.0, 2.5, 1.0, -1.0]


def test_nothing_is_there_at_once():
    assert Fetch([]).ready and Fetch([]).numbers() == []


def test_what_was_asked_for_is_what_it_was_then():
    value = torch.tensor(1.0)
    asked = Fetch([value])
    value.add_(1)
    assert asked.numbers() == [1.0]


def test_a_gradient_is_not_kept_alive():
    weight = torch.tensor(2.0, requires_grad=True)
    assert Fetch([weight * 3]).numbers() == [6.0]
