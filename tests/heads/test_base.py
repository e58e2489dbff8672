import numpy as np
import pytest
import torch

from evenkeel import heads, losses, metrics
from evenkeel.errors import RequestError
from evenkeel.train.scores import metric_of


def test_a_loss_of_ones_own_takes_no_weights():
    head = heads.Value(4, loss=torch.nn.L1Loss())
    with pytest.raises(RequestError, match="example weights need a loss by name"):
        head.loss(torch.zeros(3, 1), torch.zeros(3), torch.ones(3))
    assert head.loss_text == "L1Loss (given)"


def test_a_loss_of_ones_own_sees_numbers_without_unit():
    """So that a Huber loss with delta 1 means one standard deviation, whatever the unit of the target."""
    head = heads.Value(4, loss=torch.nn.HuberLoss())
    target = torch.tensor([1e6, 2e6, 3e6])
    head.start(target)
    scaled = (target - target.mean()) / target.std(correction=0)
    expected = torch.nn.functional.huber_loss(torch.zeros(3), scaled)
    torch.testing.assert_close(head.loss(torch.zeros(3, 1), target), expected)


def test_gaussian_gives_its_own_loss_mean_and_log_variance():
    head = heads.Gaussian(4, loss=lambda output, target: output[:, 1].mean() + 0 * target.sum())
    assert head.loss(torch.tensor([[1.0, 5.0], [2.0, 7.0]]), torch.zeros(2)) == 6


def test_options_of_a_loss_module_are_kept():
    head = heads.SingleLabel(4, classes=3, loss=losses.FocalLoss(gamma=0.5))
    logits, target = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    torch.testing.assert_close(head.loss(logits, target), losses.focal(logits, target, gamma=0.5))


def test_an_ensemble_of_probabilities_is_judged_as_their_mixture():
    head = heads.SingleLabel(4, classes=3, members=2)
    logits, target = torch.randn(2, 5, 3), torch.tensor([0, 1, 2, 2, 1])
    mixture = logits.softmax(-1).mean(0)
    expected = -mixture[torch.arange(5), target].log()
    torch.testing.assert_close(head.ensemble_loss(logits, target), expected)


def test_an_ensemble_of_labels_is_judged_label_by_label():
    head = heads.MultiLabel(4, labels=2, members=3)
    logits, target = 3 * torch.randn(3, 5, 2), torch.randint(0, 2, (5, 2)).float()
    p = logits.sigmoid().mean(0)
    expected = -(target * p.log() + (1 - target) * (1 - p).log()).mean(1)
    torch.testing.assert_close(head.ensemble_loss(logits, target), expected)


def test_an_ensemble_of_densities_is_judged_as_their_mixture():
    head = heads.Gaussian(4, members=3)
    target = torch.tensor([0.3, -1.0])
    output = torch.randn(3, 2, 2)
    density = torch.distributions.Normal(output[..., 0], (output[..., 1] / 2).exp()).log_prob(target).exp().mean(0)
    expected = -density.log() - 0.5 * np.log(2 * np.pi)
    torch.testing.assert_close(head.ensemble_loss(output, target), expected)


@pytest.mark.parametrize("loss", ["poisson_nll", "mse"])
def test_an_ensemble_of_rates_is_judged_by_its_mean_rate(loss):
    head = heads.Positive(4, members=3, loss=loss)
    target, output = torch.tensor([2.0, 0.0, 1.0]), torch.randn(3, 3, 1)
    rate = torch.nn.functional.softplus(output[..., 0]).mean(0)
    expected = rate - target * rate.log() if loss == "poisson_nll" else (rate - target) ** 2
    torch.testing.assert_close(head.ensemble_loss(output, target), expected)


def test_an_ensemble_under_another_loss_is_judged_by_the_mean_of_losses():
    head = heads.SingleLabel(4, classes=3, members=2, loss="focal")
    logits, target = torch.randn(2, 5, 3), torch.tensor([0, 1, 2, 2, 1])
    expected = losses.focal(logits, target, reduction="none").mean(0)
    torch.testing.assert_close(head.ensemble_loss(logits, target), expected)


@pytest.mark.parametrize("name", heads.PARTS)
def test_a_record_names_losses_and_metrics_that_exist(name):
    part = heads.PARTS[name]
    assert part.call.default_loss in part.losses
    assert set(part.losses) <= set(losses.PARTS)
    assert {metric_of(metric) for metric in part.metrics} <= set(metrics.PARTS)
    assert part.summary and part.source
