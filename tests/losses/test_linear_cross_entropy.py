import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.losses import cross_entropy, linear_cross_entropy


def plain(features, weight, target, bias=None, label_smoothing=0.0):
    log_p = torch.log_softmax(features @ weight.T + bias, -1)
    true = torch.nn.functional.one_hot(target, len(weight)).to(log_p.dtype)
    return -((1 - label_smoothing) * true * log_p + label_smoothing / len(weight) * log_p).sum(-1)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("biased", [False, True])
def test_agrees_with_the_loss_of_all_logits(reduction, smoothing, weighted, biased):
    features = torch.randn(2, 150, 5).double().requires_grad_()  # 300 rows: more than one chunk
    weight = torch.randn(9, 5).double().requires_grad_()
    bias = torch.randn(9).double().requires_grad_() if biased else None
    target = torch.randint(9, (2, 150)).masked_fill(torch.rand(2, 150) < 0.2, 77)
    options = {
        "ignore_index": 77,
        "label_smoothing": smoothing,
        "class_weight": torch.rand(9).double().masked_fill(torch.arange(9) == 3, 0) if weighted else None,
        "reduction": reduction,
    }
    found = linear_cross_entropy(features, weight, target, bias=bias, **options)
    expected = cross_entropy(torch.nn.functional.linear(features, weight, bias), target, **options)
    assert torch.allclose(found, expected, rtol=1e-12)
    leaves, other = [features, weight, *([bias] if biased else [])], torch.rand(2, 150).double()
    gradients = [torch.autograd.grad((x * other).sum() if x.ndim else 3 * x, leaves) for x in (found, expected)]
    assert all(torch.allclose(*pair, rtol=1e-9, atol=1e-12) for pair in zip(*gradients, strict=True))


def test_without_a_gradient_the_value_is_the_same():
    features, weight, target = torch.randn(6, 4), torch.randn(8, 4), torch.randint(8, (6,))
    with torch.no_grad():
        value = linear_cross_entropy(features, weight, target)
    assert torch.allclose(value, linear_cross_entropy(features.requires_grad_(), weight, target))


def test_all_ignored_is_zero_with_zero_gradient():
    features = torch.randn(3, 4, requires_grad=True)
    value = linear_cross_entropy(features, torch.randn(8, 4), torch.full((3,), -100))
    assert value == 0 and torch.equal(torch.autograd.grad(value, features)[0], torch.zeros(3, 4))


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_half_precision_keeps_a_float32_loss(reduction):
    features, weight = torch.randn(40, 64).bfloat16(), (0.3 * torch.randn(500, 64)).bfloat16()
    target = torch.randint(500, (40,))
    exact = linear_cross_entropy(features.double(), weight.double(), target, reduction=reduction)
    found = linear_cross_entropy(features.requires_grad_(), weight.requires_grad_(), target, reduction=reduction)
    assert found.dtype == torch.float32 and torch.allclose(found.double(), exact, rtol=1e-5)
    assert all(g.dtype == torch.bfloat16 for g in torch.autograd.grad(found.sum(), (features, weight)))


def test_large_calls_in_bfloat16_err_less_than_the_plain_formula():
    features, weight = torch.randn(256, 64).bfloat16(), (0.3 * torch.randn(4096 + 7, 64)).bfloat16()  # two pieces
    target = torch.randint(len(weight), (256,))
    leaves = (features.requires_grad_(), weight.requires_grad_())
    wide = [x.detach().double().requires_grad_() for x in leaves]
    exact = torch.nn.functional.cross_entropy(wide[0] @ wide[1].T, target, reduction="none")
    ours = linear_cross_entropy(*leaves, target, reduction="none")
    simple = torch.nn.functional.cross_entropy(features @ weight.T, target, reduction="none")
    assert ours.dtype == torch.float32
    assert (ours.double() - exact).abs().max() <= (simple.double() - exact).abs().max()
    assert (ours.double() - exact).norm() <= 0.5 * (simple.double() - exact).norm()
    expected = torch.autograd.grad(exact.mean(), wide)
    for found, true in zip(torch.autograd.grad(linear_cross_entropy(*leaves, target), leaves), expected, strict=True):
        assert found.dtype == torch.bfloat16 and (found.double() - true).norm() <= 8e-3 * true.norm()


@pytest.mark.parametrize("smoothing", [0, 0.1])
def test_logits_of_10000_are_finite_and_exact(smoothing):
    features, weight = 100 * torch.eye(3, requires_grad=True), torch.tensor([[100.0, 0, -100], [0, 100, 0]])
    weight.requires_grad_()
    target = torch.tensor([1, 1, 0])
    found = linear_cross_entropy(features, weight, target, label_smoothing=smoothing, reduction="none")
    expected = cross_entropy(features.double() @ weight.double().T, target, label_smoothing=smoothing, reduction="none")
    assert torch.allclose(found.double(), expected, rtol=1e-6)
    assert all(g.isfinite().all() for g in torch.autograd.grad(found.sum(), (features, weight)))


def test_features_of_half_precision_may_meet_a_float32_weight():
    features, weight, target = torch.randn(6, 4).bfloat16(), torch.randn(8, 4), torch.randint(8, (6,))
    found = linear_cross_entropy(features.requires_grad_(), weight.requires_grad_(), target)
    assert torch.allclose(found, cross_entropy(features.float() @ weight.T, target))
    gradients = torch.autograd.grad(found, (features, weight))
    assert [g.dtype for g in gradients] == [torch.bfloat16, torch.float32]


def test_messages():
    with pytest.raises(ShapeError, match=r"weight \(token, unit\), got \(2, 3\) and \(3, 9\); try weight.T"):
        linear_cross_entropy(torch.zeros(2, 3), torch.zeros(3, 9), torch.zeros(2, dtype=torch.long))
