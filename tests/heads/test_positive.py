import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn.functional import softplus

from _unchecked import unchecked
from evenkeel import heads, losses
from evenkeel.errors import DataError, RequestError
from heads._cases import plain_loss


def base_rate(loss, target):
    """Of predicting the mean, in units of it; a rate is given as its logarithm."""
    truth = target / target.mean()
    mean = torch.zeros_like(truth) if "log-rate" in losses.PARTS[loss].expects else torch.ones_like(truth)
    return plain_loss(loss, mean, truth)


ACTIVATIONS = ("softplus", "relu")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_no_prediction_is_negative_and_the_first_is_the_mean(activation):
    head = heads.Positive(4, activation=activation)
    head.start(torch.tensor([10.0, 20.0, 60.0]))
    torch.testing.assert_close(head.predict(head(torch.zeros(1, 4))), torch.tensor([30.0]))
    assert (head.predict(torch.linspace(-50, 50, 101)[:, None]) >= 0).all()


def test_relu_can_say_zero_and_softplus_cannot():
    output = torch.tensor([[-3.0]])
    assert heads.Positive(4, activation="relu").predict(output) == 0
    assert heads.Positive(4).predict(output) == pytest.approx(softplus(output).item())


@pytest.mark.parametrize("z", [-1e4, -16.0, -15.9, 0.0, 1e4])
@pytest.mark.parametrize("loss", ["poisson_nll", "mse"])
@pytest.mark.parametrize("truth", [0.0, 3.0])
def test_extreme_outputs_stay_finite(z, loss, truth):
    head = heads.Positive(4, loss=loss)
    output = torch.tensor([[z]], requires_grad=True)
    value = head.loss(output, torch.tensor([truth]))
    value.backward()
    assert value.isfinite() and output.grad.isfinite().all()
    found = head.distribution(output)
    assert np.isfinite([found.mean, found.std, found.log_prob(truth)]).all()


def test_the_logarithm_of_softplus_is_seamless():
    """Below its bound the rate is taken as exp(z): value and slope go on, against float64."""
    z = torch.tensor([-30.0, -16.001, -15.999, -3.0, 5.0, 80.0], requires_grad=True)
    head = heads.Positive(4)
    (log_rate,), _ = head.loss_inputs(z[:, None], torch.ones(6))
    slope = torch.autograd.grad(log_rate.sum(), z)[0]
    exact = z.detach().double().requires_grad_()
    reference = torch.log(torch.log1p(torch.exp(exact)))
    expected = torch.autograd.grad(reference.sum(), exact)[0]
    torch.testing.assert_close(log_rate.double(), reference, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(slope.double(), expected, rtol=1e-5, atol=1e-6)


def test_a_negative_target_is_refused():
    with pytest.raises(DataError, match="targets of 0 or more, got -2; try task='probabilistic-regression'"):
        heads.Positive(4).start(torch.tensor([1.0, -2.0]))


def test_activation_and_loss_must_fit():
    with unchecked(), pytest.raises(RequestError, match="takes activation 'softplus' or 'relu', got 'exp'"):
        heads.Positive(4, activation="exp")
    with pytest.raises(RequestError, match=r"poisson_nll needs a rate above 0.*loss='mse'"):
        heads.Positive(4, activation="relu", loss="poisson_nll")
    assert heads.Positive(4, activation="relu").loss_name == "mse"


@pytest.mark.parametrize("counts, size", [(True, 2.0), (True, 10.0), (False, 0.5), (False, 20.0)])
def test_calibration_finds_the_dispersion(counts, size):
    head = heads.Positive(4, counts=counts)
    generator = np.random.default_rng(0)
    mean = generator.uniform(5, 50, 4000)
    draws = generator.gamma(size, mean / size)
    target = torch.from_numpy(generator.poisson(draws).astype(float) if counts else draws)
    head.start(target)
    output = torch.from_numpy(np.log(np.expm1(mean / head.scale.item()))).float()[:, None]
    head.calibrate(output, target)
    assert head.dispersion.item() == pytest.approx(size, rel=0.25)
    found = head.distribution(output)
    reference = stats.nbinom(size, size / (size + mean)) if counts else stats.gamma(size, scale=mean / size)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-5)
    np.testing.assert_allclose(found.std, reference.std(), rtol=0.15)


@pytest.mark.parametrize("counts", [True, False])
def test_before_calibration_the_dispersion_is_the_targets_own(counts):
    generator = np.random.default_rng(0)
    target = torch.from_numpy(generator.negative_binomial(3, 0.1, 5000).astype(float))
    head = heads.Positive(4, counts=counts)
    head.start(target)
    found = head.distribution(head(torch.zeros(1, 4)))
    assert found.std == pytest.approx(target.std().item(), rel=0.01)


def test_targets_that_are_all_zero_or_all_alike_make_a_start():
    for value in (0.0, 7.0):
        head = heads.Positive(4, counts=True)
        head.start(torch.full((20,), value))
        assert head.predict(head(torch.zeros(1, 4))).isfinite().all()
        assert np.isfinite(head.distribution(head(torch.zeros(1, 4))).log_prob(value)).all()


def test_real_zeros_among_real_numbers_have_a_finite_likelihood():
    """A gamma has no density at 0; rainfall has many zeros."""
    target = torch.cat([torch.zeros(300), torch.rand(700).double()])
    head = heads.Positive(4)
    head.start(target)
    output = torch.zeros(1000, 1)
    head.calibrate(output, target)
    assert np.isfinite(head.distribution(output).log_prob(target.numpy())).all()


def test_an_ensemble_predicts_the_mean_of_the_rates_not_of_the_outputs():
    head = heads.Positive(4, members=2)
    output = torch.tensor([[[-4.0]], [[6.0]]])
    assert head.predict(output) == pytest.approx(softplus(output).mean().item())
