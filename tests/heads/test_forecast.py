import numpy as np
import pytest
import torch
from scipy import stats

from evenkeel import heads
from heads._cases import plain_loss, standardised


def base_rate(loss, target):
    """Of predicting mean and variance, with the unit of the spread."""
    truth = standardised(target)
    return plain_loss(loss, torch.zeros_like(truth), torch.zeros_like(truth), truth)


CENTER, SPREAD = 100.0, 10.0


def output(mean, log_variance):
    """As the head gives it: steps, then center and spread of the series."""
    steps = torch.stack([mean, log_variance], dim=-1)
    units = torch.tensor([[CENTER] * 2, [SPREAD] * 2]).expand(*steps.shape[:-2], 2, 2)
    return torch.cat([steps, units], dim=-2)


def test_the_loss_is_that_of_each_step_in_spreads_of_the_series():
    head, generator = heads.Forecast(8, horizon=3), torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 5, 3, generator=generator)
    target = CENTER + SPREAD * torch.randn(5, 3, dtype=torch.float64, generator=generator)
    m, s, y = mean.double().numpy(), log_variance.double().numpy(), (target.numpy() - CENTER) / SPREAD
    slow = [np.mean([0.5 * (s[i, j] + (y[i, j] - m[i, j]) ** 2 / np.exp(s[i, j])) for j in range(3)]) for i in range(5)]
    found = output(mean, log_variance)
    np.testing.assert_allclose(head.example_loss(found, target), slow, rtol=1e-5)
    assert head.loss(found, target).item() == pytest.approx(np.mean(slow), rel=1e-5)
    weight = torch.tensor([2.0, 0.0, 1.0, 1.0, 1.0])
    assert head.loss(found, target, weight).item() == pytest.approx(np.mean(weight.numpy() * slow), rel=1e-5)


@pytest.mark.parametrize("members", [None, 3])
def test_the_distribution_is_in_the_units_of_the_target_row_after_row(members):
    head = heads.Forecast(8, horizon=2, members=members)
    mean, log_variance = torch.randn(2, *(() if members is None else (members,)), 4, 2)
    found, given = head.distribution(output(mean, log_variance)), output(mean, log_variance)
    m, d = (CENTER + SPREAD * mean).double().numpy(), SPREAD * np.exp(0.5 * log_variance.double().numpy())
    m, d = m.reshape(members or 1, -1), d.reshape(members or 1, -1)
    np.testing.assert_allclose(found.mean, m.mean(0), rtol=1e-6)
    np.testing.assert_allclose(found.log_prob(101.0), np.log(stats.norm(m, d).pdf(101.0).mean(0)), rtol=1e-5)
    np.testing.assert_allclose(head.predict(given).flatten(), found.mean, rtol=1e-5)
    assert len(found) == 8


def test_the_spread_follows_the_scale_of_the_window():
    head = heads.Forecast(8, horizon=2)
    flat, wide = (
        head.distribution(head(torch.tensor([[0.0] * 4 + [0.0, scale, CENTER, SPREAD]]))) for scale in (1.0, 4.0)
    )
    np.testing.assert_allclose(wide.std / flat.std, 4.0, rtol=1e-6)


@pytest.mark.parametrize("members", [None, 2])
@pytest.mark.parametrize("honest", [0.5, 3.0])
def test_calibration_finds_the_width_of_the_errors(honest, members):
    head = heads.Forecast(8, horizon=4, members=members)
    mean = torch.randn(60_000, 4)  # more steps than are looked at
    target = CENTER + SPREAD * (mean + honest * torch.randn(60_000, 4)).double()
    given = output(mean, torch.zeros_like(mean))
    given = given if members is None else given.expand(members, -1, -1, -1)
    head.calibrate(given, target)
    assert head.width.item() == pytest.approx(honest, rel=0.03)
    low, high = head.distribution(given).interval(0.9)
    inside = (target.flatten().numpy() > low) & (target.flatten().numpy() < high)
    assert inside.mean() == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("log_variance", [-1e4, 1e4])
def test_an_extreme_variance_stays_finite(log_variance):
    head = heads.Forecast(8, horizon=1)
    given = output(torch.tensor([[0.3]]), torch.tensor([[log_variance]])).requires_grad_()
    loss = head.loss(given, torch.tensor([[CENTER]]))
    loss.backward()
    assert loss.isfinite() and given.grad.isfinite().all()
    found = head.distribution(given)
    assert np.isfinite(found.std).all() and (found.std > 0).all()


def test_beta_favours_the_mean():
    plain, half = heads.Forecast(8, horizon=1), heads.Forecast(8, horizon=1, options={"beta": 0.5})
    given = output(torch.tensor([[0.0]]), torch.tensor([[2.0]])).requires_grad_()
    target = torch.tensor([[CENTER + SPREAD]])
    gradients = [torch.autograd.grad(head.loss(given, target), given)[0][0, 0, 0] for head in (plain, half)]
    assert gradients[1] / gradients[0] == pytest.approx(np.exp(1.0))
