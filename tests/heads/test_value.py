import torch

from evenkeel import heads
from heads._cases import plain_loss, standardised


def base_rate(loss, target):
    """Of predicting the mean, over the variance."""
    truth = standardised(target)
    return plain_loss(loss, torch.zeros_like(truth), truth)


def test_zero_output_is_the_weighted_mean_of_the_training_target():
    head = heads.Value(4)
    head.start(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 1.0, 2.0]))
    torch.testing.assert_close(head.predict(torch.zeros(2, 1)), torch.full((2,), 11 / 4))


def test_an_ensemble_predicts_the_mean_of_its_members():
    head = heads.Value(4, members=3)
    head.start(torch.tensor([10.0, 30.0]))
    output = torch.randn(3, 5, 1)
    torch.testing.assert_close(head.predict(output), output[..., 0].mean(0) * 10 + 20)


def test_large_targets_keep_their_digits():
    """A float32 of the difference, not the difference of float32s."""
    target = torch.tensor([1e9, 1e9 + 1, 1e9 + 2], dtype=torch.float64)
    head = heads.Value(4)
    head.start(target)
    exact = torch.tensor([-1.0, 0.0, 1.0]) / (2 / 3) ** 0.5
    loss = head.example_loss(exact[:, None], target)
    torch.testing.assert_close(loss, torch.zeros(3))


def test_it_has_neither_probability_nor_distribution():
    head = heads.Value(4)
    assert head.probability(torch.zeros(2, 1)) is None and head.distribution(torch.zeros(2, 1)) is None
    before = {name: value.clone() for name, value in head.state_dict().items()}
    head.calibrate(torch.zeros(2, 1), torch.ones(2))
    assert all(torch.equal(before[name], value) for name, value in head.state_dict().items())
