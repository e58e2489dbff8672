import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.losses import contrastive


def plain(left, right, same, margin=1.0):
    distance = ((left - right) ** 2).sum(-1).sqrt()
    return 0.5 * torch.where(same, distance**2, (margin - distance).clamp(min=0) ** 2)


def test_same_pairs_attract_and_different_pairs_repel_up_to_the_margin():
    left, right = torch.zeros(3, 1), torch.tensor([[2.0], [0.5], [3.0]])
    values = contrastive(left, right, torch.tensor([1, 0, 0]), reduction="none")
    assert values.tolist() == [2.0, 0.125, 0.0]


def test_different_embeddings_that_coincide_have_a_finite_gradient():
    left = torch.ones(1, 2, requires_grad=True)
    value = contrastive(left, torch.ones(1, 2), torch.tensor([0.0]))
    assert value == 0.5 and torch.equal(torch.autograd.grad(value, left)[0], torch.zeros(1, 2))


def test_cosine_distance_ignores_length():
    left, right, same = torch.randn(4, 3), torch.randn(4, 3), torch.tensor([1, 0, 1, 0])
    found = contrastive(left, 7 * right, same, distance="cosine")
    assert torch.allclose(found, contrastive(left, right, same, distance="cosine"))


def test_messages():
    with pytest.raises(
        ShapeError, match=r"same must have the shape of the output, \(2,\), or its last axes, got \(2, 1\)"
    ):
        contrastive(torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(2, 1))
