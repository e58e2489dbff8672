"""The slow reference losses that torch tests its own with; they come inside its wheel."""

import warnings
from unittest.mock import patch

import pytest
import torch

from evenkeel import losses

# Importing them would freeze torch's settings for all tests that follow, and warns of a package they can do without.
with warnings.catch_warnings(), patch.object(torch.backends, "disable_global_flags", lambda: None):
    warnings.simplefilter("ignore", ImportWarning)
    from torch.testing._internal.common_nn import loss_reference_fns  # needs the package expecttest

REDUCTIONS = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])


def logits_and_classes(rows=7, classes=5):
    target = torch.randint(classes, (rows,))
    target[2] = -100
    return torch.randn(rows, classes, dtype=torch.float64), target, torch.rand(classes, dtype=torch.float64)


@REDUCTIONS
@pytest.mark.parametrize("smoothing", [0.0, 0.15])
@pytest.mark.parametrize("kind", ["classes", "probabilities"])
def test_cross_entropy(kind, reduction, smoothing):
    logits, target, weight = logits_and_classes()
    target = target if kind == "classes" else torch.softmax(torch.randn_like(logits), -1)
    oracle = loss_reference_fns["CrossEntropyLoss"]
    expected = oracle(logits, target, weight=weight, reduction=reduction, label_smoothing=smoothing)
    found = losses.cross_entropy(logits, target, class_weight=weight, reduction=reduction, label_smoothing=smoothing)
    assert torch.allclose(found, expected, rtol=1e-12)


@REDUCTIONS
@pytest.mark.parametrize("smoothing", [0.0, 0.15])
def test_linear_cross_entropy(reduction, smoothing):
    _, target, weight = logits_and_classes()
    features, bias = torch.randn(7, 3, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    matrix = torch.randn(5, 3, dtype=torch.float64)
    options = {"reduction": reduction, "label_smoothing": smoothing}
    oracle = loss_reference_fns["LinearCrossEntropyLoss"]
    expected = oracle(features, matrix, target, linear_bias=bias, weight=weight, **options)
    found = losses.linear_cross_entropy(features, matrix, target, bias=bias, class_weight=weight, **options)
    assert torch.allclose(found, expected, rtol=1e-12)


@REDUCTIONS
@pytest.mark.parametrize("name", ["NLLLoss", "NLLLossNd"])
def test_nll(reduction, name):
    logits, target, _ = logits_and_classes()
    log_p = torch.log_softmax(logits.reshape(7, 5, 1), 1)
    target = target.clamp(min=0).reshape(7, 1)
    if name == "NLLLoss":
        expected = loss_reference_fns[name](log_p.squeeze(2), target.squeeze(1), reduction=reduction)
        found = losses.nll(log_p.squeeze(2), target.squeeze(1), reduction=reduction)
    else:
        expected = loss_reference_fns[name](log_p, target, reduction=reduction)
        found = losses.nll(log_p.movedim(1, -1), target, reduction=reduction)
    assert torch.allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(("oracle", "form"), [("KLDivLoss", "probabilities"), ("KLDivLoss_log_target", "logits")])
def test_kl_divergence_is_its_sum_over_classes(oracle, form):
    """Torch's argument order is Q, P, in logarithms; its own reductions are over numbers, not over rows."""
    p, q = torch.softmax(torch.randn(2, 7, 5, dtype=torch.float64), -1)
    each = loss_reference_fns[oracle](q.log(), p if form == "probabilities" else p.log(), reduction="none")
    pair = (p, q) if form == "probabilities" else (p.log(), q.log())
    assert torch.allclose(losses.kl_divergence(*pair, form=form, reduction="none"), each.sum(-1), rtol=1e-12)


@REDUCTIONS
def test_triplet(reduction):
    points = torch.randn(3, 7, 5, dtype=torch.float64)
    expected = loss_reference_fns["TripletMarginLoss"](*points, margin=0.7, eps=0.0, reduction=reduction)
    assert torch.allclose(losses.triplet(*points, margin=0.7, reduction=reduction), expected, rtol=1e-12)


@REDUCTIONS
def test_contrastive_halves_the_squares_of_the_hinge_embedding(reduction):
    """Torch's hinge of a distance, squared and halved, is the loss of a different pair."""
    left, right = torch.randn(2, 7, 5, dtype=torch.float64)
    apart, different = (left - right).norm(dim=1), -torch.ones(7, dtype=torch.float64)
    hinge = loss_reference_fns["HingeEmbeddingLoss"](apart, different, margin=3.0, reduction="none")
    found = losses.contrastive(left, right, torch.zeros(7).bool(), margin=3.0, reduction=reduction)
    expected = 0.5 * hinge**2
    expected = expected if reduction == "none" else getattr(expected, reduction)()
    assert torch.allclose(found, expected, rtol=1e-12) and (found > 0).any()


@REDUCTIONS
def test_mse_is_the_middle_of_a_wide_huber(reduction):
    """Huber's loss with a threshold beyond all errors is half of the squared error."""
    prediction, target = torch.randn(2, 7, 5, dtype=torch.float64)
    half = loss_reference_fns["HuberLoss"](prediction, target, reduction=reduction, delta=100.0)
    assert torch.allclose(losses.mse(prediction, target, reduction=reduction), 2 * half, rtol=1e-12)
