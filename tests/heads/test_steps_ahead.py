"""What both forecasting heads promise, by the folder."""

import numpy as np
import pytest
import torch

from evenkeel import heads
from evenkeel.errors import DataError, RequestError
from evenkeel.heads.predictive import NORMAL, Predictive
from evenkeel.heads.steps_ahead import PLACE, by_step

NAMES = [name for name, part in heads.PARTS.items() if part.target == "series"]
UNITS, HORIZON, ROWS = 5, 3, 4


def made(name, members=None, **options):
    head = heads.PARTS[name].call(UNITS + PLACE, horizon=HORIZON, members=members, **options)
    torch.nn.init.normal_(head.linear.weight)
    torch.nn.init.normal_(head.linear.bias)
    return head


def features(level=0.0, scale=1.0, center=0.0, spread=1.0, members=None):
    shape = (ROWS,) if members is None else (members, ROWS)
    found = torch.linspace(-1, 1, UNITS).expand(*shape, UNITS) * torch.arange(1.0, ROWS + 1).unsqueeze(1)
    return torch.cat([found, torch.tensor([level, scale, center, spread]).expand(*shape, PLACE)], dim=-1)


def test_there_is_one_for_each_of_two_tasks():
    assert {heads.PARTS[name].call.task for name in NAMES} == {"regression", "probabilistic-regression"}
    assert {heads.PARTS[name].chosen for name in NAMES} == {"by-target"}


@pytest.mark.parametrize("members", [None, 2])
@pytest.mark.parametrize("name", NAMES)
def test_a_window_of_another_level_and_scale_is_forecast_as_much_higher_and_wider(name, members):
    """Exactly for one network: with powers of two both ways round once."""
    head = made(name, members)
    plain = head.predict(head(features(members=members)))
    moved = head.predict(head(features(level=8.0, scale=4.0, members=members)))
    errors = {"rtol": 0.0, "atol": 0.0} if members is None else {"rtol": 1e-6, "atol": 1e-5}
    torch.testing.assert_close(moved, (8.0 + 4.0 * plain.double()).float(), **errors)
    in_units = head.predict(head(features(level=8.0, scale=4.0, center=-64.0, spread=0.5, members=members)))
    torch.testing.assert_close(in_units, (-64.0 + 0.5 * moved.double()).float(), **errors)


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_does_not_know_the_units_of_the_series(name):
    head, target = made(name), torch.randn(ROWS, HORIZON, dtype=torch.float64)
    plain = head.loss(head(features(level=0.5, scale=2.0)), target)
    there = head.loss(head(features(level=0.5, scale=2.0, center=1e6, spread=1e3)), 1e6 + 1e3 * target)
    torch.testing.assert_close(there, plain)


@pytest.mark.parametrize("name", NAMES)
def test_no_gradient_goes_into_the_units(name):
    head, given = made(name), features().requires_grad_()
    output = head(given)
    output.retain_grad()
    head.loss(output, torch.ones(ROWS, HORIZON)).backward()
    assert output.grad[:, :HORIZON].abs().sum() > 0 and output.grad[:, HORIZON:].abs().sum() == 0


@pytest.mark.parametrize("name", NAMES)
def test_at_first_a_window_goes_on_at_its_level(name):
    head = heads.PARTS[name].call(UNITS + PLACE, horizon=HORIZON)
    head.start(torch.randn(ROWS, HORIZON))
    found = head.predict(head(features(level=3.0, scale=0.1)))
    torch.testing.assert_close(found, torch.full((ROWS, HORIZON), 3.0), atol=0.05, rtol=0)
    assert head.linear.bias.abs().sum() == 0


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_fit_is_refused(name):
    head = made(name)
    with pytest.raises(
        DataError, match=r"needs 3 steps to come a row, \(batch, 3\), got shape \(4, 2\); try a row for"
    ):
        head.start(torch.zeros(4, 2))
    with pytest.raises(DataError, match=r"got shape \(4,\)"):
        head.check(torch.zeros(4))
    with pytest.raises(DataError, match="not finite"):
        head.start(torch.full((4, 3), torch.nan))
    for sizes in ({"features": PLACE, "horizon": 1}, {"features": 9, "horizon": 0}):
        with pytest.raises(RequestError, match=r"needs a horizon of 1 or more and more than 4 features"):
            heads.PARTS[name].call(sizes["features"], horizon=sizes["horizon"])


@pytest.mark.parametrize("members", [1, 2])
def test_the_distribution_by_step_has_the_shape_of_the_predictions(members):
    """All that it gives is that of the rows, turned: (row, horizon) becomes (horizon, row)."""
    mean, spread = np.random.default_rng(0).normal(size=(2, members, 12))
    rows = Predictive(NORMAL, {"mean": mean, "spread": np.exp(spread)})
    turned = by_step(rows, 3)

    def same(found, flat):
        np.testing.assert_array_equal(found, flat.reshape(*flat.shape[:-1], 4, 3).swapaxes(-1, -2))

    same(turned.mean, rows.mean)
    same(turned.std, rows.std)
    same(turned.cdf(0.3), rows.cdf(0.3))
    same(turned.quantile([0.1, 0.5]), rows.quantile([0.1, 0.5]))
    same(turned.quantile(0.1), rows.quantile(0.1))
    truth = np.arange(12.0).reshape(3, 4)
    same(turned.log_prob(truth), rows.log_prob(truth.T.flatten()))
    for found, flat in zip(turned.interval(0.9), rows.interval(0.9), strict=True):
        assert found.shape == (3, 4)
        same(found, flat)
    assert len(turned) == 3 and repr(turned) == f"ByStep(3 steps of 4 rows, mixture of {members} normal distributions)"


@pytest.mark.parametrize("members", [1, 2])
def test_draws_by_step_have_its_mean_and_spread(members):
    mean, spread = np.random.default_rng(0).normal(size=(2, members, 6))
    found = by_step(Predictive(NORMAL, {"mean": mean, "spread": np.exp(spread)}), 3)
    draws = found.sample(40_000, seed=1)
    assert draws.shape == (40_000, 3, 2)
    np.testing.assert_allclose(draws.mean(0), found.mean, atol=0.1)
    np.testing.assert_allclose(draws.std(0), found.std, rtol=0.05)
    np.testing.assert_array_equal(found.sample(3, seed=1), found.sample(3, seed=1))
