import numpy as np
import pytest
from scipy import stats

from evenkeel.errors import RequestError
from evenkeel.heads.predictive import GAMMA, NEGATIVE_BINOMIAL, NORMAL, Predictive

MEAN = np.array([[0.5, 3.0, 40.0], [1.5, 2.0, 60.0]])
SIZE = np.array([[0.7], [8.0]])
ZERO = np.zeros((1, 1))
CASES = {
    "normal": (NORMAL, {"mean": MEAN, "spread": np.sqrt(MEAN)}, stats.norm(MEAN, np.sqrt(MEAN))),
    "gamma": (GAMMA, {"mean": MEAN, "shape": SIZE, "floor": ZERO}, stats.gamma(SIZE, scale=MEAN / SIZE)),
    "counts": (NEGATIVE_BINOMIAL, {"mean": MEAN, "size": SIZE}, stats.nbinom(SIZE, SIZE / (SIZE + MEAN))),
}
POINTS = np.array([[0.0, 1.0, 3.0], [2.0, 0.0, 55.0], [7.0, 4.0, 41.0], [30.0, 12.0, 200.0]])


@pytest.fixture(params=CASES)
def both(request):
    """The predictive distribution, and SciPy's frozen one for each member."""
    family, parameters, reference = CASES[request.param]
    return Predictive(family, parameters), reference


def log_density(reference, value):
    return reference.logpmf(value) if hasattr(reference.dist, "logpmf") else reference.logpdf(value)


@pytest.mark.parametrize("value", POINTS)
def test_agrees_with_scipy(both, value):
    predictive, reference = both
    value = value + 1e-3 if predictive.family is GAMMA else value
    np.testing.assert_allclose(predictive.cdf(value), reference.cdf(value).mean(0), rtol=1e-9, atol=1e-14)
    mixed = np.log(np.exp(log_density(reference, value)).mean(0))
    np.testing.assert_allclose(predictive.log_prob(value), mixed, rtol=1e-9)


def test_moments_are_those_of_the_mixture(both):
    predictive, reference = both
    np.testing.assert_allclose(predictive.mean, reference.mean().mean(0))
    second = (reference.var() + reference.mean() ** 2).mean(0)
    np.testing.assert_allclose(predictive.std, np.sqrt(second - reference.mean().mean(0) ** 2))


def test_samples_have_these_moments(both):
    predictive, _ = both
    draws = predictive.sample(40_000)
    assert draws.shape == (40_000, 3)
    np.testing.assert_allclose(draws.mean(0), predictive.mean, atol=0.03 * predictive.std.max(), rtol=0.03)
    np.testing.assert_allclose(draws.std(0), predictive.std, rtol=0.05)
    assert (predictive.sample(5, seed=1) == predictive.sample(5, seed=1)).all()
    assert (predictive.sample(5, seed=1) != predictive.sample(5, seed=2)).any()


def test_intervals_hold_their_share_of_samples(both):
    predictive, _ = both
    low, high = predictive.interval(0.8)
    draws = predictive.sample(20_000)
    inside = ((draws >= low) & (draws <= high)).mean(0)
    spare = 0.35 if predictive.family.discrete else 0.015  # a discrete interval holds at least its share
    assert (inside > 0.785).all() and (inside < 0.8 + spare).all()


@pytest.mark.parametrize("level", [1e-6, 0.05, 0.5, 0.95, 1 - 1e-6])
def test_quantile_undoes_the_distribution_function(both, level):
    predictive, _ = both
    found = predictive.quantile(level)
    if not predictive.family.discrete:
        np.testing.assert_allclose(predictive.cdf(found), level, rtol=1e-6)
        return
    # The smallest whole number whose share reaches the level.
    assert (found == np.floor(found)).all()
    assert (predictive.cdf(found) >= level).all() and (predictive.cdf(found - 1) < level).all()


def test_one_member_has_scipys_quantiles(both):
    predictive, reference = both
    single = Predictive(predictive.family, {name: value[:1] for name, value in predictive.parameters.items()})
    np.testing.assert_allclose(single.quantile([0.1, 0.9]), reference.ppf([[[0.1]], [[0.9]]])[:, 0], rtol=1e-7)


def test_several_levels_stand_first_and_ascend(both):
    predictive, _ = both
    found = predictive.quantile([0.1, 0.5, 0.9])
    assert found.shape == (3, 3) == predictive.quantile(np.array([0.1, 0.5, 0.9])).shape
    assert (np.diff(found, axis=0) >= 0).all()
    assert predictive.quantile(0.5).shape == (3,)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, [0.5, 1.5]])
def test_levels_outside_the_open_interval_are_refused(both, level):
    with pytest.raises(RequestError, match="strictly between 0 and 1"):
        both[0].quantile(level)


def test_two_far_members_are_a_mixture_and_no_average():
    two = Predictive(NORMAL, {"mean": np.array([[-10.0], [10.0]]), "spread": np.full((2, 1), 0.1)})
    assert two.mean == 0 and two.std == pytest.approx(np.sqrt(100 + 0.01))
    assert two.cdf(0.0) == pytest.approx(0.5) and two.log_prob(0.0) < -1000
    np.testing.assert_allclose(two.quantile([0.25, 0.75])[:, 0], [-10, 10], atol=1e-9)
    assert set(np.round(two.sample(50)[:, 0])) == {-10.0, 10.0}


def test_what_cannot_be_has_no_density():
    gamma = Predictive(GAMMA, {"mean": np.ones((1, 1)), "shape": np.ones((1, 1)), "floor": ZERO})
    counts = Predictive(NEGATIVE_BINOMIAL, {"mean": np.ones((1, 1)), "size": np.ones((1, 1))})
    assert gamma.log_prob(-1.0) == -np.inf and gamma.cdf(-1.0) == 0
    assert counts.log_prob(-1.0) == counts.log_prob(1.5) == -np.inf and counts.cdf(-1.0) == 0


@pytest.mark.parametrize("shape", [0.02, 0.5, 1.0, 30.0, 1e5])
def test_a_gamma_with_a_floor_is_a_density_and_finite_at_zero(shape):
    floor = 0.01
    one = Predictive(GAMMA, {"mean": np.ones((1, 1)), "shape": np.array([[shape]]), "floor": np.array([[floor]])})
    assert np.isfinite(one.log_prob(0.0)).all()
    level = np.exp(one.log_prob(floor / 2)[0]) * floor
    assert level == pytest.approx(one.cdf(floor)[0], abs=1e-12), "below the floor lies the share that belongs there"
    np.testing.assert_allclose(one.log_prob(0.4), stats.gamma(shape, scale=1 / shape).logpdf(0.4), rtol=1e-9)


def test_it_says_what_it_is():
    one = Predictive(NORMAL, {"mean": MEAN, "spread": MEAN})
    assert len(one) == 3 and repr(one) == "Predictive(3 rows, mixture of 2 normal distributions)"


def test_the_interval_of_counts_is_the_shortest_that_holds_its_share():
    rates = np.array([[0.5, 2.0, 9.0]])
    predictive = Predictive(NEGATIVE_BINOMIAL, {"mean": rates, "size": np.full((1, 3), 1e6)})  # Poisson, nearly
    low, high = predictive.interval(0.9)
    held = predictive.cdf(high) - predictive.cdf(low - 1)
    assert (held >= 0.9).all()
    assert low[0] == 0 and high[0] == 1  # P(0..1) = .910
    equal = predictive.quantile([0.05, 0.95])
    assert ((high - low) <= (equal[1] - equal[0])).all()
