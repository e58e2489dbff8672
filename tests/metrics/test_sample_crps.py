import pytest
import torch
from torch.distributions import Categorical, Gamma, MixtureSameFamily, Normal

from evenkeel.metrics.sample_crps import crps_of_distribution, crps_of_mixtures, crps_of_normals, crps_of_samples

TARGET = torch.tensor([-3.0, 0.0, 0.4, 6.0], dtype=torch.float64)


def integral(distribution, target, low=-60.0, high=60.0, points=400_001):
    """The definition, ∫ (F(x) - [x >= y])² dx, by the trapezoidal rule."""
    x = torch.linspace(low, high, points, dtype=torch.float64)
    return torch.stack([torch.trapezoid((distribution.cdf(x) - (x >= y).double()) ** 2, x) for y in target])


@pytest.mark.parametrize("std", [0.3, 2.0])
def test_the_normal_closed_form_is_the_integral(std):
    mean, spread = torch.tensor(0.5).double(), torch.tensor(std).double()
    expected = integral(Normal(mean, spread), TARGET)
    assert torch.allclose(crps_of_normals(mean, spread, TARGET), expected, atol=2e-4)
    assert torch.equal(crps_of_distribution(Normal(mean, spread), TARGET), crps_of_normals(mean, spread, TARGET))


def test_the_mixture_closed_form_is_the_integral():
    weight, mean, std = (torch.tensor(x).double() for x in ([0.2, 0.8], [-2.0, 1.0], [0.5, 1.5]))
    mixture = MixtureSameFamily(Categorical(weight), Normal(mean, std))
    expected = integral(mixture, TARGET)
    assert torch.allclose(crps_of_mixtures(weight, mean, std, TARGET), expected, atol=2e-4)
    assert torch.allclose(crps_of_distribution(mixture, TARGET), expected, atol=2e-4)


def test_a_certain_prediction_has_the_absolute_error():
    assert torch.allclose(crps_of_normals(torch.zeros(4).double(), torch.zeros(4).double(), TARGET), TARGET.abs())


def test_samples_are_their_own_distribution():
    sample = torch.randn(7, 4, dtype=torch.float64)
    pairs = (sample.unsqueeze(0) - sample.unsqueeze(1)).abs().mean((0, 1))
    assert torch.allclose(crps_of_samples(sample, TARGET), (sample - TARGET).abs().mean(0) - 0.5 * pairs)


@pytest.mark.parametrize("mean", [0.0, 0.7])
def test_quantiles_serve_any_other_distribution(mean):
    class OnlyQuantiles:
        def quantile(self, q):
            return Normal(torch.full((4,), mean).double(), 2.0).icdf(torch.tensor(q))

    exact = crps_of_normals(torch.tensor(mean).double(), torch.tensor(2.0).double(), TARGET)
    assert torch.allclose(crps_of_distribution(OnlyQuantiles(), TARGET), exact, atol=2e-4)
    gamma = Gamma(torch.full((2,), 2.0).double(), 1.0)
    positive = torch.tensor([0.5, 5.0], dtype=torch.float64)
    expected = integral(Gamma(torch.tensor(2.0).double(), 1.0), positive, low=1e-9)
    assert torch.allclose(crps_of_distribution(gamma, positive), expected, atol=3e-4)
