import pytest
import torch

from evenkeel.errors import RequestError
from evenkeel.losses import binary_cross_entropy, cross_entropy, focal


def plain(logits, target, gamma=2.0, alpha=None):
    if target.is_floating_point():
        return plain_labels(logits, target, gamma, alpha)
    log_p = torch.log_softmax(logits, -1)
    log_true = log_p.gather(-1, target.unsqueeze(-1)).squeeze(-1)
    weight = 1.0 if alpha is None else alpha[target]
    return -weight * (1 - log_true.exp()) ** gamma * log_true


def plain_labels(logits, target, gamma, alpha):
    p = torch.sigmoid(logits)
    right = p * target + (1 - p) * (1 - target)
    weight = 1.0 if alpha is None else alpha * target + (1 - alpha) * (1 - target)
    return -weight * (1 - right) ** gamma * right.log()


def test_gamma_zero_is_cross_entropy():
    logits, classes, labels = torch.randn(5, 3), torch.randint(3, (5,)), torch.rand(5, 3)
    assert torch.allclose(focal(logits, classes, gamma=0), cross_entropy(logits, classes))
    assert torch.allclose(focal(logits, labels, gamma=0), binary_cross_entropy(logits, labels))


@pytest.mark.parametrize("alpha", [0.25, torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)])
@pytest.mark.parametrize("gamma", [0, 0.5, 1.0, 2, 5])
def test_labels_agree_with_the_formula(gamma, alpha):
    logits, target = 2 * torch.randn(6, 3, dtype=torch.float64), torch.randint(2, (6, 3)).double()
    found = focal(logits, target, gamma=gamma, alpha=alpha, reduction="none")
    assert torch.allclose(found, plain_labels(logits, target, gamma, alpha))
    assert torch.equal(found, focal(logits, target.bool(), gamma=gamma, alpha=alpha, reduction="none"))


@pytest.mark.parametrize("gamma", [0, 0.1, 0.5, 1, 2, 5.0])
@pytest.mark.parametrize("size", [20.0, 100.0, 1e4, 1e37])
@pytest.mark.parametrize("kind", ["classes", "labels"])
def test_saturated_logits_have_finite_gradients(gamma, size, kind):
    target = torch.tensor([0, 0]) if kind == "classes" else torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    logits = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]) * size * 0.5
    logits.requires_grad_()
    values = focal(logits, target, gamma=gamma, reduction="none")
    gradient = torch.autograd.grad(values.sum(), logits)[0]
    assert values.isfinite().all() and gradient.isfinite().all()


def test_other_classes_all_impossible():
    logits = torch.tensor([[0.0, -torch.inf], [3.0, -torch.inf]], requires_grad=True)
    value = focal(logits, torch.tensor([0, 0]), gamma=0.5)
    assert value == 0 and torch.equal(torch.autograd.grad(value, logits)[0], torch.zeros(2, 2))


def test_messages():
    with pytest.raises(RequestError, match=r"gamma must be 0 or more, got -1; try gamma=2.0"):
        focal(torch.zeros(1, 2), torch.tensor([0]), gamma=-1)
    with pytest.raises(RequestError, match=r"alpha for classes is a tensor of one weight per class, got 0.25"):
        focal(torch.zeros(1, 2), torch.tensor([0]), alpha=0.25)
