import pytest
import torch

from evenkeel.losses import triplet


def plain(anchor, positive, negative, margin=1.0):
    def distance(x):
        return ((anchor - x) ** 2).sum(-1).sqrt()

    return (distance(positive) - distance(negative) + margin).clamp(min=0)


def test_agrees_with_torch():
    anchor, positive, negative = torch.randn(3, 5, 4, dtype=torch.float64)
    expected = torch.nn.functional.triplet_margin_loss(anchor, positive, negative, eps=0)
    assert torch.allclose(triplet(anchor, positive, negative), expected, rtol=1e-12)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_the_soft_margin_is_smooth_and_never_zero(distance):
    anchor, positive, negative = torch.randn(3, 5, 4)
    soft = triplet(anchor, positive, negative, margin="soft", distance=distance, reduction="none")
    hard = triplet(anchor, positive, negative, margin=0, distance=distance, reduction="none")
    assert (soft > hard).all() and (soft - hard <= torch.log(torch.tensor(2.0)) + 1e-6).all()


def test_points_that_coincide_have_a_finite_gradient():
    anchor = torch.ones(1, 2, requires_grad=True)
    value = triplet(anchor, torch.ones(1, 2), torch.ones(1, 2))
    assert value == 1 and torch.equal(torch.autograd.grad(value, anchor)[0], torch.zeros(1, 2))
