import torch

from evenkeel.chain.record.overwritten import Overwritten


def test_whole_storages_come_back_whatever_view_was_written_to():
    base = torch.arange(6.0)
    left, right, kept = base[:3], base.view(2, 3)[1], Overwritten()
    kept.keep([left])
    left.zero_()
    kept.keep([right])  # the same storage: what it held at first counts
    right.fill_(7.0)
    kept.restore()
    assert base.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_graph_that_saved_the_tensor_stays_usable():
    weight, kept = torch.ones(2, requires_grad=True), Overwritten()
    target = torch.zeros(2)
    kept.keep([target])
    target += 3
    loss = (weight * target).sum()
    kept.restore()
    loss.backward()
    assert target.tolist() == [0.0, 0.0]


def test_sparse_tensors_and_resized_storages_are_left_alone():
    kept, grown = Overwritten(), torch.ones(2)
    kept.keep([torch.eye(2).to_sparse(), grown])
    grown.resize_(5)
    kept.restore()
    assert grown.shape == (5,)
