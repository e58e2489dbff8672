import pytest
import torch
from torch.distributions import (
    Bernoulli,
    Beta,
    Categorical,
    Cauchy,
    Gamma,
    LogNormal,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    StudentT,
    Uniform,
)

from evenkeel.errors import RequestError
from evenkeel.losses import kl_divergence


def plain(p, q, form):
    assert form == "logits"
    p, q = torch.log_softmax(p, -1), torch.log_softmax(q, -1)
    return (p.exp() * (p - q)).sum(-1)


P, Q = torch.tensor([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]]), torch.tensor([[0.2, 0.3, 0.5], [1 / 3, 1 / 3, 1 / 3]])


def test_the_three_forms_agree_with_torch_and_p_comes_first():
    expected = torch.nn.functional.kl_div(Q.log(), P, reduction="none").sum(-1)
    assert torch.allclose(kl_divergence(P, Q, reduction="none"), expected)
    assert torch.allclose(kl_divergence(P.log(), Q.log(), form="log-probabilities", reduction="none"), expected)
    assert torch.allclose(kl_divergence(P.log() + 3, Q.log() - 2, form="logits", reduction="none"), expected)
    assert not torch.allclose(kl_divergence(Q[1], P[1]), kl_divergence(P[1], Q[1]))


def test_the_mean_is_over_rows_not_over_numbers():
    assert torch.allclose(kl_divergence(P, Q), torch.distributions.kl_divergence(Categorical(P), Categorical(Q)).mean())


@pytest.mark.parametrize("form", ["probabilities", "log-probabilities", "logits"])
def test_zeros(form):
    p, q = torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])
    p, q = (x if form == "probabilities" else x.log() for x in (p, q))
    p.requires_grad_()
    value = kl_divergence(p, q, form=form)
    assert value.item() == pytest.approx(0.6931472)
    assert torch.autograd.grad(value, p)[0].isfinite().all()
    assert kl_divergence(q, p, form=form) == torch.inf


def test_two_distributions_use_the_closed_form():
    mean = torch.tensor([1.0, 2.0], requires_grad=True)
    found = kl_divergence(Normal(mean, 1.0), Normal(0.0, 2.0), reduction="none")
    assert torch.equal(found, torch.distributions.kl_divergence(Normal(mean, 1.0), Normal(0.0, 2.0)))
    assert torch.autograd.grad(found.sum(), mean)[0].isfinite().all()


def test_a_finite_support_is_summed():
    p, q = Bernoulli(torch.tensor([0.3, 0.9])), Categorical(torch.tensor([0.25, 0.75]))
    expected = kl_divergence(torch.tensor([[0.7, 0.3], [0.1, 0.9]]), torch.tensor([0.25, 0.75]).expand(2, 2))
    assert torch.allclose(kl_divergence(p, q), expected)


def test_what_has_no_closed_form_is_integrated_and_carries_gradients():
    mean = torch.tensor([0.0, 2.0], dtype=torch.float64, requires_grad=True)
    p = MixtureSameFamily(Categorical(torch.ones(2, 1)), Normal(mean.unsqueeze(1), 0.5))
    q = Normal(torch.tensor(1.0, dtype=torch.float64), 2.0)
    found = kl_divergence(p, q, reduction="none")
    expected = torch.distributions.kl_divergence(Normal(mean, 0.5), q)
    assert torch.allclose(found, expected, atol=1e-6)
    gradients = [torch.autograd.grad(x.sum(), mean)[0] for x in (found, expected)]
    assert torch.allclose(*gradients, atol=1e-6)


def test_messages():
    with pytest.raises(
        RequestError, match=r"both be tensors or both distributions, got Tensor and Normal; try p.probs"
    ):
        kl_divergence(P, Normal(0.0, 1.0))
    with pytest.raises(RequestError, match=r"one continuous variable, got MultivariateNormal with events \(2,\)"):
        kl_divergence(MultivariateNormal(torch.zeros(2), torch.eye(2)), Uniform(torch.zeros(2), 1.0))
    with pytest.raises(RequestError, match=r"integral of Cauchy against Normal did not settle: estimated error"):
        kl_divergence(Cauchy(0.0, 1.0), Normal(0.0, 1.0))  # it is infinite: the tails of a Cauchy are


def test_kinds_used_here_have_no_closed_form():
    for p, q in [
        (Gamma(2.0, 1.0), LogNormal(0.0, 1.0)),
        (StudentT(5.0), Normal(0.0, 1.0)),
        (Beta(2.0, 2.0), LogNormal(0.0, 1.0)),
    ]:
        with pytest.raises(NotImplementedError):
            torch.distributions.kl_divergence(p, q)
        assert kl_divergence(p, q) > 0
