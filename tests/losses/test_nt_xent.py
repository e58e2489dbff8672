import math

import pytest
import torch

from evenkeel.losses import NtXentLoss, nt_xent


def plain(left, right, temperature=0.5):
    views = torch.cat([left, right])
    views = views / views.norm(dim=-1, keepdim=True)
    scores = views @ views.T / temperature
    scores = scores.masked_fill(torch.eye(len(views), dtype=torch.bool), -torch.inf)
    partner = torch.arange(len(views)).roll(len(left))
    return -torch.log_softmax(scores, 1)[torch.arange(len(views)), partner].reshape(2, -1).mean(0)


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("batch", [2, 700])  # more than one tile
def test_value_and_gradient_agree_with_the_full_matrix(reduction, batch):
    views, weight = torch.randn(2, batch, 6).double().requires_grad_(), torch.rand(batch).double()
    found, expected = nt_xent(*views, temperature=0.1, reduction=reduction), plain(*views, 0.1)
    expected = expected if reduction == "none" else expected.mean()
    assert torch.allclose(found, expected, rtol=1e-10)
    gradients = [torch.autograd.grad((x * weight).sum() if x.ndim else x, views)[0] for x in (found, expected)]
    assert torch.allclose(*gradients, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_collinear_embeddings(batch):
    assert nt_xent(torch.ones(batch, 3), 2 * torch.ones(batch, 3)) == pytest.approx(math.log(2 * batch - 1))


def test_a_temperature_can_be_learned():
    views = torch.randn(2, 5, 6)
    loss = NtXentLoss(temperature=0.2, learn=("temperature",))
    loss(*views).backward()
    log_temperature = torch.tensor(0.2).log().requires_grad_()
    plain(*views, log_temperature.exp()).mean().backward()
    assert torch.allclose(loss.log_temperature.grad, log_temperature.grad, rtol=1e-4)


def test_half_precision_does_not_underflow():
    views = torch.tensor([[-1.954, 1.078], [0.238, -0.5703], [1.8745, -0.0195], [-0.6719, -1.921]]).half()
    exact = nt_xent(views[::2].double(), views[1::2].double(), temperature=0.07)
    assert exact > 10
    assert nt_xent(views[::2], views[1::2], temperature=0.07) == pytest.approx(float(exact), rel=1e-5)
