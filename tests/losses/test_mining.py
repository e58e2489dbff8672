import pytest
import torch

from evenkeel.losses.mining import Pairs, every, hard, hinge, semi_hard, usable

DISTANCE = torch.tensor([[0.0, 1.0, 3.0, 0.5, 2.0, 4.0]], requires_grad=True)
POSITIVE = torch.tensor([[False, True, True, False, False, False]])
NEGATIVE = torch.tensor([[False, False, False, True, True, True]])
PAIRS = Pairs(DISTANCE, POSITIVE, NEGATIVE)


def test_each_mining_by_hand():
    assert hard(PAIRS, 1.0).item() == 3 - 0.5 + 1
    assert semi_hard(PAIRS, 1.5).item() == ((1 - 2 + 1.5) + (3 - 4 + 1.5)) / 2
    gaps = [p - n + 1 for p in (1, 3) for n in (0.5, 2, 4)]
    assert every(PAIRS, 1.0).item() == pytest.approx(sum(max(0, gap) for gap in gaps) / 6)


def test_semi_hard_falls_back_to_the_farthest_negative():
    near = Pairs(
        torch.tensor([[5.0, 1.0, 2.0]]), torch.tensor([[True, False, False]]), torch.tensor([[False, True, True]])
    )
    assert semi_hard(near, 0.5).item() == 5 - 2 + 0.5


def test_anchors_without_both_are_not_usable_and_stay_finite():
    lonely = Pairs(DISTANCE, POSITIVE, torch.zeros_like(NEGATIVE))
    assert not usable(lonely).any() and usable(PAIRS).all()
    for mine in (hard, semi_hard, every):
        for margin in (1.0, None):
            value = mine(lonely, margin)
            assert value.isfinite().all() and torch.autograd.grad(value.sum(), DISTANCE)[0].isfinite().all()


def test_hinge_and_its_smooth_form():
    gap = torch.tensor([-2.0, 3.0])
    assert hinge(gap, 1.0).tolist() == [0.0, 4.0]
    assert torch.allclose(hinge(gap, None), torch.nn.functional.softplus(gap))
