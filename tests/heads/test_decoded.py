import pytest
import torch

from evenkeel.errors import DataError, RequestError
from evenkeel.heads.decoded import check_decoded, parts_of, prediction_of, probability_of


def test_two_parts_come_as_two_tensors_or_on_a_last_axis():
    both = torch.randn(3, 5, 2)
    for decoded in ((both[..., 0], both[..., 1]), [both[..., 0], both[..., 1]], both):
        parts = parts_of(decoded, "gaussian")
        assert torch.equal(parts[0], both[..., 0]) and torch.equal(parts[1], both[..., 1])
    assert parts_of(both, "value") == (both,)


@pytest.mark.parametrize(
    ("decoded", "kind", "message"),
    [
        (torch.zeros(3, 5), "gaussian", r"must give two tensors, or one with a last axis of 2, got \(3, 5\)"),
        ((torch.zeros(3), torch.zeros(3)), "value", "decoder for value must give one tensor, got tuple; try another"),
        (None, "log-gamma", "got NoneType"),
    ],
)
def test_another_form_is_refused(decoded, kind, message):
    with pytest.raises(RequestError, match=message):
        parts_of(decoded, kind)


def test_predictions_and_probabilities_of_each_kind():
    x = torch.tensor([[0.0, 2.0], [-1.0, -3.0]])
    assert prediction_of((x,), "logits").tolist() == [1, 0]
    torch.testing.assert_close(prediction_of((x,), "binary-logits"), x.sigmoid())
    torch.testing.assert_close(prediction_of((x,), "log-rate"), x.exp())
    torch.testing.assert_close(prediction_of((x, x + 1), "log-gamma"), x.exp())
    assert prediction_of((x, x + 1), "gaussian") is x and prediction_of((x,), "value") is x
    torch.testing.assert_close(probability_of((x,), "logits"), x.softmax(-1))
    torch.testing.assert_close(probability_of((x,), "binary-logits"), x.sigmoid())
    assert probability_of((x,), "value") is None


@pytest.mark.parametrize(
    ("kind", "target", "message"),
    [
        ("value", torch.tensor([[torch.nan]]), "not finite"),
        ("logits", torch.rand(3), "needs whole numbers as target, got torch.float32; try loss='mse' for numbers"),
        (
            "binary-logits",
            torch.tensor([255.0, 0.0]),
            "needs targets 0..1, got 0..255; try target / 255, or loss='mse'",
        ),
        ("log-rate", torch.tensor([-1.0]), "needs targets of 0 or more, got -1..-1"),
        ("log-gamma", torch.tensor([0.0, 1.0]), "needs targets above 0, got 0..1; try loss='gaussian_nll'"),
    ],
)
def test_a_target_that_the_decoders_loss_cannot_take_is_refused(kind, target, message):
    with pytest.raises(DataError, match=message):
        check_decoded(target, kind)
    check_decoded(torch.tensor([1]), kind)
