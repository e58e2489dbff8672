import pytest
import torch
from torch.distributions import Beta, Exponential, Gamma, Gumbel, Laplace, Normal, StudentT, Uniform, kl_divergence

from evenkeel.losses.integral import kl_integral

ONE = torch.ones(3, dtype=torch.float64)
PAIRS = [
    (Normal(ONE, 0.1 * ONE), Normal(-ONE, 5 * ONE)),
    (Normal(1e3 * ONE, ONE), Normal(0 * ONE, 100 * ONE)),
    (Laplace(ONE, 2 * ONE), Normal(ONE, ONE)),
    (Gumbel(ONE, ONE), Gumbel(0 * ONE, 2 * ONE)),
    (Gamma(0.5 * ONE, 3 * ONE), Gamma(2 * ONE, ONE)),
    (Exponential(1e-3 * ONE), Exponential(1e-2 * ONE)),
    (Beta(0.7 * ONE, 3 * ONE), Beta(2 * ONE, 2 * ONE)),
    (Uniform(2 * ONE, 5 * ONE), Normal(ONE, ONE)),
]


@pytest.mark.parametrize(("p", "q"), PAIRS, ids=lambda x: type(x).__name__)
def test_agrees_with_the_closed_form_within_its_error_estimate(p, q):
    found, exact = kl_integral(p, q), kl_divergence(p, q)
    assert ((found.value - exact).abs() <= found.error + 1e-9 * (1 + exact)).all()
    assert (found.error <= 1e-4 * (1 + exact)).all()


def test_no_density_where_p_reaches_is_infinite():
    assert (kl_integral(Normal(ONE, ONE), Gamma(ONE, ONE)).value == torch.inf).all()


def test_heavy_tails_are_reached():
    p, q = StudentT(4 * ONE), StudentT(3 * ONE)
    x = torch.linspace(-1000, 1000, 400_001, dtype=torch.float64)
    one = StudentT(torch.tensor(4.0).double()), StudentT(torch.tensor(3.0).double())
    reference = torch.trapezoid(one[0].log_prob(x).exp() * (one[0].log_prob(x) - one[1].log_prob(x)), x)
    assert torch.allclose(kl_integral(p, q).value, reference, atol=1e-6)
