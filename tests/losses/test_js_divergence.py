import math

import pytest
import torch

from evenkeel.errors import RequestError
from evenkeel.losses import js_divergence


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


def test_messages():
    with pytest.raises(RequestError, match=r"weight must lie between 0 and 1, got 1; try weight=0.5"):
        js_divergence(torch.ones(1, 1), torch.ones(1, 1), weight=1)
