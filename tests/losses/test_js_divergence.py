import math

import pytest
import torch

from evenkeel.errors import RequestError
from evenkeel.losses import js_divergence, kl_divergence


def plain(p, q, form, weight=0.5):
    assert form == "logits"
    p, q = torch.softmax(p, -1), torch.softmax(q, -1)
    mixture = weight * p + (1 - weight) * q
    terms = weight * torch.xlogy(p, p / mixture) + (1 - weight) * torch.xlogy(q, q / mixture)
    return terms.sum(-1)


def test_symmetric_and_at_most_log_two():
    p, q = torch.randn(2, 50, 4, dtype=torch.float64) * 5
    there, back = (
        js_divergence(p, q, form="logits", reduction="none"),
        js_divergence(q, p, form="logits", reduction="none"),
    )
    assert torch.allclose(there, back) and (there >= 0).all() and (there <= math.log(2)).all()


@pytest.mark.parametrize("form", ["probabilities", "log-probabilities", "logits"])
def test_nothing_in_common_is_log_two(form):
    p, q = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0]])
    p, q = (x if form == "probabilities" else x.log() for x in (p, q))
    value = js_divergence(p.requires_grad_(), q, form=form)
    assert value.item() == pytest.approx(math.log(2))
    assert torch.autograd.grad(value, p)[0].isfinite().all()


def test_agrees_with_two_divergences_from_the_mixture():
    p, q = torch.softmax(torch.randn(2, 20, 5, dtype=torch.float64), -1)
    mixture = 0.3 * p + 0.7 * q
    expected = 0.3 * kl_divergence(p, mixture) + 0.7 * kl_divergence(q, mixture)
    assert torch.allclose(js_divergence(p, q, weight=0.3), expected, rtol=1e-10)


def test_very_unlikely_classes_keep_their_gradient():
    """At a log-probability of -80 in both, the float32 mixture itself would be 0 or a subnormal number."""
    p = torch.tensor([[0.0, -100.0]], requires_grad=True)
    q = torch.tensor([[0.0, -95.0]])
    found = torch.autograd.grad(js_divergence(p, q, form="logits"), p)[0]
    wide = p.detach().double().requires_grad_()
    exact = torch.autograd.grad(js_divergence(wide, q.double(), form="logits"), wide)[0]
    assert found[0, 1] != 0 and torch.allclose(found[0, 1].double(), exact[0, 1], rtol=1e-2)


@pytest.mark.parametrize("form", ["log-probabilities", "logits"])
def test_what_is_impossible_in_both_has_gradient_zero(form):
    p = torch.tensor([[0.5, 0.5, 0.0]]).log().requires_grad_()
    q = torch.tensor([[0.25, 0.75, 0.0]]).log()
    value = js_divergence(p, q, form=form)
    assert value.item() == pytest.approx(js_divergence(p.exp(), q.exp()).item())
    gradient = torch.autograd.grad(value, p)[0]
    assert gradient.isfinite().all() and gradient[0, 2] == 0


def test_messages():
    with pytest.raises(RequestError, match=r"weight must lie between 0 and 1, got 1; try weight=0.5"):
        js_divergence(torch.ones(1, 1), torch.ones(1, 1), weight=1)
