"""Which loss a head takes, and what it says of one that it cannot."""

import pytest
import torch

from evenkeel import heads, losses
from evenkeel.errors import RequestError
from evenkeel.heads.loss_choice import fitting_losses


def test_a_loss_of_ones_own_must_give_one_number():
    output, target = torch.zeros(3, 1, requires_grad=True), torch.zeros(3)
    with pytest.raises(RequestError, match=r"one number for a batch, .* got shape \(3,\); try .mean\(\)"):
        heads.Value(4, loss=lambda output, target: (output - target) ** 2).loss(output, target)
    with pytest.raises(RequestError, match=r"tensor of shape \(\), got float"):
        heads.Value(4, loss=lambda output, target: 1.5).loss(output, target)


def test_a_loss_of_ones_own_must_have_a_gradient():
    def constant(output, target):
        return (output.detach() - target).abs().mean()

    output = torch.zeros(3, 1, requires_grad=True)
    with pytest.raises(RequestError, match=r"no gradient with respect to the output.*without \.detach"):
        heads.Value(4, loss=constant).loss(output, torch.zeros(3))
    assert heads.Value(4, loss=constant).loss(output.detach(), torch.ones(3)) == 1, "measuring needs none"


def test_a_loss_module_that_does_not_fit_is_refused():
    with pytest.raises(RequestError, match="loss 'focal' expects logits or binary-logits, the head for regression"):
        heads.Value(4, loss=losses.FocalLoss())


def test_the_losses_that_fit_expect_what_the_head_gives():
    assert fitting_losses(("logits",)) == ("cross_entropy", "focal")
    assert fitting_losses(()) == ()
