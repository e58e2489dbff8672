import pytest
import torch

from evenkeel.errors import RequestError
from evenkeel.losses import info_nce, linear_cross_entropy, nt_xent
from evenkeel.losses.first_order import SecondDerivativeError


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("loss", [info_nce, nt_xent])
def test_a_penalty_on_the_gradient_is_refused_not_ignored(loss, reduction):
    left, right = torch.randn(2, 4, 3).requires_grad_()
    value = loss(left, right, reduction=reduction).sum()
    gradient = torch.autograd.grad(value, left, create_graph=True)[0]
    with pytest.raises(SecondDerivativeError, match=r"cannot be differentiated again; for second derivatives try"):
        (value + gradient.square().sum()).backward()
    assert issubclass(SecondDerivativeError, RequestError) and issubclass(SecondDerivativeError, RuntimeError)


def test_it_is_refused_for_each_argument():
    features, weight = torch.randn(4, 3, requires_grad=True), torch.randn(5, 3, requires_grad=True)
    value = linear_cross_entropy(features, weight, torch.arange(4))
    for gradient in torch.autograd.grad(value, (features, weight), create_graph=True):
        with pytest.raises(SecondDerivativeError):
            torch.autograd.grad(gradient.sum(), features, retain_graph=True)


def test_keeping_the_graph_alone_is_no_error():
    left, right = torch.randn(2, 4, 3).requires_grad_()
    kept, plain = (torch.autograd.grad(info_nce(left, right), left, create_graph=c)[0] for c in (True, False))
    assert torch.equal(kept.detach(), plain)
