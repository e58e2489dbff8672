import pytest
import torch
from torch.distributions import Categorical, Gamma, LogNormal, MixtureSameFamily, Normal

from evenkeel.errors import RequestError
from evenkeel.metrics.quantile import central_interval, quantiles

ASKED = torch.tensor([0.001, 0.3, 0.5, 0.99], dtype=torch.float64)
ONE = torch.ones(2, dtype=torch.float64)


@pytest.mark.parametrize(
    "distribution",
    [
        Normal(3 * ONE, 2 * ONE),
        LogNormal(ONE, ONE),
        Gamma(0.5 * ONE, ONE),
        MixtureSameFamily(Categorical(torch.ones(2, 2)), Normal(torch.tensor([[-5.0, 900.0]] * 2).double(), 1.0)),
    ],
    ids=lambda distribution: type(distribution).__name__,
)
def test_a_quantile_inverts_the_cdf(distribution):
    found = quantiles(distribution, ASKED)
    assert found.shape == (4, 2)
    assert torch.allclose(distribution.cdf(found), ASKED.unsqueeze(1).expand(4, 2), atol=1e-12)


def test_an_own_quantile_goes_first():
    class Uniform:
        def quantile(self, q):
            return torch.full((3,), q)

    assert torch.allclose(quantiles(Uniform(), ASKED)[:, 0], ASKED)


def test_messages():
    with pytest.raises(RequestError, match=r"needs .quantile\(q\), or .cdf\(y\) and .mean, object has neither"):
        quantiles(object(), ASKED)
    with pytest.raises(RequestError, match=r"level must lie between 0 and 1, got 1.5; try level=0.9"):
        central_interval(Normal(ONE, ONE), 1.5)
