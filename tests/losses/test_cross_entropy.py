import math

import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.losses import cross_entropy


def plain(logits, target, class_weight=None, ignore_index=-100, label_smoothing=0.0):
    log_p = torch.log_softmax(logits, -1)
    weight = torch.ones_like(logits[0:1].sum(0)) if class_weight is None else class_weight
    true = torch.nn.functional.one_hot(target, logits.shape[-1]).to(logits.dtype)
    smooth = (1 - label_smoothing) * true + label_smoothing / logits.shape[-1]
    return -(smooth * weight * log_p).sum(-1)


@pytest.mark.parametrize(
    ("logits", "target", "expected"),
    [
        ([[10, 1, -2], [1, 4, 0.2]], [1, 0], [9.00013, 3.0696733]),
        ([[8, 1, 1], [0, 9, 1], [2, 3, 5]], [0, 1, 2], [0.001822, 0.000459, 0.169846]),
    ],
)
def test_golden_values(logits, target, expected):
    values = cross_entropy(torch.tensor(logits).double(), torch.tensor(target), reduction="none")
    assert values.tolist() == pytest.approx(expected, abs=1e-5)
    mean = cross_entropy(torch.tensor(logits).double(), torch.tensor(target))
    assert mean == pytest.approx(sum(expected) / len(expected), abs=1e-5)


def test_impossible_classes():
    logits = torch.tensor([[0.0, -torch.inf, -torch.inf]], requires_grad=True)
    value = cross_entropy(logits, torch.tensor([0]))
    assert value == 0 and torch.equal(torch.autograd.grad(value, logits)[0], torch.zeros(1, 3))
    assert cross_entropy(logits, torch.tensor([1])) == math.inf


@pytest.mark.parametrize("class_weight", [None, torch.tensor([1.0, 2.0, 0.5])])
def test_all_ignored_is_zero_with_zero_gradient(class_weight):
    logits = torch.randn(4, 3, requires_grad=True)
    value = cross_entropy(logits, torch.full((4,), -100), class_weight=class_weight)
    assert value == 0 and torch.equal(torch.autograd.grad(value, logits)[0], torch.zeros(4, 3))


@pytest.mark.parametrize("smoothing", [0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_agrees_with_torch(smoothing, weighted, reduction):
    logits, target = torch.randn(6, 3), torch.tensor([0, 2, 7, 1, 7, 0])
    weight = torch.tensor([1.0, 2.0, 0.0]) if weighted else None
    expected = torch.nn.functional.cross_entropy(
        logits, target, weight=weight, ignore_index=7, label_smoothing=smoothing, reduction=reduction
    )
    found = cross_entropy(
        logits, target, class_weight=weight, ignore_index=7, label_smoothing=smoothing, reduction=reduction
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("smoothing", [0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_probabilities_agree_with_torch(smoothing, weighted, reduction):
    logits = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    target = torch.rand(6, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.tensor([1.0, 2.0, 0.0], dtype=torch.float64) if weighted else None
    options = {"label_smoothing": smoothing, "reduction": reduction}
    expected = torch.nn.functional.cross_entropy(logits, target, weight=weight, **options)
    found = cross_entropy(logits, target, class_weight=weight, ignore_index=1, **options)
    assert torch.allclose(found, expected, rtol=1e-12)
    gradients = [torch.autograd.grad(x.sum(), (logits, target), retain_graph=True) for x in (found, expected)]
    assert all(torch.allclose(*pair, rtol=1e-9) for pair in zip(*gradients, strict=True))


def test_certain_probabilities_are_classes():
    logits, target = torch.randn(5, 4, dtype=torch.float64), torch.randint(4, (5,))
    sure = torch.nn.functional.one_hot(target, 4).double()
    assert torch.allclose(cross_entropy(logits, sure), cross_entropy(logits, target), rtol=1e-14)


def test_an_impossible_class_of_probability_zero_costs_nothing():
    logits = torch.tensor([[0.0, 0.0, -torch.inf]], requires_grad=True)
    target = torch.tensor([[0.5, 0.5, 0.0]])
    value = cross_entropy(logits, target)
    assert value.item() == pytest.approx(math.log(2))
    assert torch.equal(torch.autograd.grad(value, logits)[0], torch.zeros(1, 3))
    assert cross_entropy(logits, torch.tensor([[0.5, 0.4, 0.1]])) == math.inf


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_probabilities_of_far_logits_have_a_finite_value_and_gradient(size):
    logits = torch.tensor([[size, 0.0, -size], [0.0, size, 0.0]], requires_grad=True)
    value = cross_entropy(logits, torch.tensor([[0.2, 0.3, 0.5], [0.0, 1.0, 0.0]]))
    assert value.isfinite() and torch.autograd.grad(value, logits)[0].isfinite().all()


def test_an_ensemble_shares_probabilities_and_no_rows_are_zero():
    logits, target = torch.randn(2, 5, 3), torch.softmax(torch.randn(5, 3), -1)
    found = cross_entropy(logits, target, reduction="none")
    assert torch.equal(found, torch.stack([cross_entropy(x, target, reduction="none") for x in logits]))
    assert cross_entropy(torch.zeros(0, 3), torch.zeros(0, 3)) == 0


def test_probabilities_have_second_derivatives():
    logits, target = torch.randn(3, 4).double().requires_grad_(), torch.softmax(torch.randn(3, 4).double(), -1)
    assert torch.autograd.gradgradcheck(lambda x: cross_entropy(x, target, label_smoothing=0.1), logits)


def test_first_loss_of_a_zero_head_is_log_classes():
    assert cross_entropy(torch.zeros(5, 10), torch.arange(5)) == pytest.approx(math.log(10))


def test_messages():
    with pytest.raises(ShapeError, match=r"target must .* \(2, 3\) or its last axes, got \(2, 4\); try logits.movedim"):
        cross_entropy(torch.zeros(2, 3, 4), torch.zeros(2, 4, dtype=torch.long))
    with pytest.raises(ShapeError, match=r"of the logits, \(3, 3\), got \(3,\); try target.long\(\) for whole-number"):
        cross_entropy(torch.zeros(3, 3), torch.zeros(3))
    with pytest.raises(ShapeError, match=r"target must have the shape of the output, \(2, 3\), or its last axes"):
        cross_entropy(torch.zeros(2, 3), torch.zeros(3, 2))
