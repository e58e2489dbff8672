import pytest
import torch

from evenkeel.metrics import calibration_error


def plain(probability, target):
    confidence, chosen = probability.max(1)
    right = (chosen == target).double()
    total = 0.0
    for low in range(15):
        inside = (confidence > low / 15) & (confidence <= (low + 1) / 15)
        if inside.any():
            total += float(inside.double().mean() * (confidence[inside].mean() - right[inside].mean()).abs())
    return total


def test_labels_drawn_from_their_probabilities_are_calibrated():
    probability = torch.rand(50_000, 2)
    assert calibration_error(probability, torch.bernoulli(probability)) < 0.01
    assert calibration_error(probability, torch.bernoulli(probability**2)) > 0.1


def test_being_sure_and_wrong_is_the_worst():
    assert calibration_error(torch.tensor([[1.0, 0.0]]), torch.tensor([1])) == pytest.approx(1)
