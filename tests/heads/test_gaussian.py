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


def test_the_distribution_is_in_the_units_of_the_target():
    head = heads.Gaussian(4)
    target = torch.tensor([100.0, 200.0, 300.0])
    head.start(target)
    output = torch.tensor([[0.5, 0.0], [-1.0, -2.0]])
    spread = target.double().std(correction=0).item()
    reference = stats.norm(200 + spread * np.array([0.5, -1.0]), spread * np.exp([0.0, -1.0]))
    found = head.distribution(output)
    np.testing.assert_allclose(found.mean, reference.mean())
    np.testing.assert_allclose(found.std, reference.std())
    np.testing.assert_allclose(found.log_prob([150.0, 170.0]), reference.logpdf([150.0, 170.0]))


def test_an_ensemble_adds_the_disagreement_of_its_members_to_the_spread():
    head = heads.Gaussian(4, members=2)
    head.start(torch.tensor([-1.0, 1.0]))
    output = torch.tensor([[[2.0, 0.0]], [[-2.0, 0.0]]])
    assert head.distribution(output).std == pytest.approx(np.sqrt(1 + 4)) and head.predict(output) == 0


@pytest.mark.parametrize("honest", [0.4, 1.0, 3.0])
@pytest.mark.parametrize("members", [None, 2])
def test_calibration_finds_the_width_of_the_errors(honest, members):
    """An overconfident network (errors three times what it says) is widened, an underconfident one narrowed."""
    rows = 4000
    head = heads.Gaussian(4, members=members)
    said = torch.stack([torch.randn(rows), torch.zeros(rows)], dim=-1)
    target = said[:, 0] + honest * torch.randn(rows)
    output = said if members is None else said.expand(members, -1, -1)
    head.calibrate(output, target)
    assert head.width.item() == pytest.approx(honest, rel=0.06)
    low, high = head.distribution(output).interval(0.9)
    assert ((target.numpy() > low) & (target.numpy() < high)).mean() == pytest.approx(0.9, abs=0.02)


def test_calibration_changes_no_prediction():
    head = heads.Gaussian(4)
    output = torch.randn(50, 2)
    before = head.predict(output)
    head.calibrate(output, 5 * torch.randn(50))
    assert head.width > 1 and torch.equal(head.predict(output), before)


def test_beta_favours_the_mean():
    plain, half = heads.Gaussian(4), heads.Gaussian(4, options={"beta": 0.5})
    output = torch.tensor([[0.0, 2.0]], requires_grad=True)
    gradients = [torch.autograd.grad(head.loss(output, torch.ones(1)), output)[0][0, 0] for head in (plain, half)]
    assert gradients[1] / gradients[0] == pytest.approx(np.exp(1.0))


@pytest.mark.parametrize("log_variance", [-1e4, 1e4])
def test_an_extreme_variance_stays_finite(log_variance):
    head = heads.Gaussian(4)
    output = torch.tensor([[0.3, log_variance]], requires_grad=True)
    loss = head.loss(output, torch.zeros(1))
    loss.backward()
    assert loss.isfinite() and output.grad.isfinite().all()
    found = head.distribution(output)
    assert np.isfinite(found.std).all() and (found.std > 0).all() and np.isfinite(found.log_prob(0.0)).all()
