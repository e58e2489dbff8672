import numpy as np
import pytest
import torch

from evenkeel import heads
from evenkeel.heads.for_task import head_for
from heads._cases import plain_loss, standardised


def base_rate(loss, target):
    """Of predicting the mean of the series, over its variance."""
    truth = standardised(target)
    return plain_loss(loss, torch.zeros_like(truth), truth)


def test_the_loss_is_the_mean_square_in_spreads_of_the_series():
    head, mean = heads.PointForecast(8, horizon=3), torch.randn(5, 3)
    units = torch.tensor([[100.0], [10.0]]).expand(5, 2, 1)
    output = torch.cat([mean.unsqueeze(-1), units], dim=1)
    target = 100 + 10 * torch.randn(5, 3, dtype=torch.float64)
    slow = (((target.numpy() - 100) / 10 - mean.numpy()) ** 2).mean(1)
    np.testing.assert_allclose(head.example_loss(output, target), slow, rtol=1e-5)
    assert head.loss(output, target).item() == pytest.approx(slow.mean(), rel=1e-5)
    np.testing.assert_allclose(head.predict(output), 100 + 10 * mean.numpy(), rtol=1e-6)
    assert head.distribution(output) is None and head.probability(output) is None


def test_it_learns_a_linear_continuation():
    """Least squares of the two steps after a window on the window itself, known without a network."""
    head, window = heads.PointForecast(8, horizon=2), torch.randn(400, 4)
    weight = torch.randn(4, 2)
    target = 50 + 5 * (window @ weight).double()
    given = torch.cat([window, torch.tensor([0.0, 1.0, 50.0, 5.0]).expand(400, 4)], dim=1)
    head.start(target)
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=50, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = head.loss(head(given), target)
        loss.backward()
        return loss

    optimizer.step(closure)
    torch.testing.assert_close(head.linear.weight.detach(), weight, atol=1e-3, rtol=0)


def test_a_task_with_steps_to_come_finds_its_head():
    assert head_for("regression", "series").call is heads.PointForecast
    assert head_for("probabilistic-regression", "series").call is heads.Forecast
    assert head_for("regression", "number").call is heads.Value and head_for("regression").call is heads.Value
