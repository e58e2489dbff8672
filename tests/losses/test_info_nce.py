import math

import pytest
import torch

from evenkeel.errors import RequestError, ShapeError
from evenkeel.losses import InfoNceLoss, info_nce


def plain(query, key, temperature=0.07, symmetric=False):
    query, key = (x / x.norm(dim=-1, keepdim=True) for x in (query, key))
    scores = query @ key.T / temperature
    row = -torch.log_softmax(scores, 1).diagonal()
    return 0.5 * (row - torch.log_softmax(scores, 0).diagonal()) if symmetric else row


def _pairs(batch, unit=6, dtype=torch.float64):
    return torch.randn(2, batch, unit, dtype=dtype).requires_grad_()


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("batch", [3, 1200])  # more than one tile
def test_value_and_gradient_agree_with_the_full_matrix(symmetric, reduction, batch):
    pairs, other = _pairs(batch), torch.rand(batch, dtype=torch.float64)
    found = info_nce(*pairs, temperature=0.1, symmetric=symmetric, reduction=reduction)
    expected = plain(*pairs, 0.1, symmetric)
    expected = expected if reduction == "none" else getattr(expected, reduction)()
    assert torch.allclose(found, expected, rtol=1e-10)
    gradients = [torch.autograd.grad((x * other).sum() if x.ndim else x, pairs)[0] for x in (found, expected)]
    assert torch.allclose(*gradients, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("symmetric", [False, True])
def test_a_temperature_can_be_learned(symmetric):
    pairs = torch.randn(2, 5, 6)
    loss = InfoNceLoss(temperature=0.2, symmetric=symmetric, learn=("temperature",))
    loss(*pairs).backward()
    log_temperature = torch.tensor(0.2).log().requires_grad_()
    plain(*pairs, log_temperature.exp(), symmetric).mean().backward()
    assert torch.allclose(loss.log_temperature.grad, log_temperature.grad, rtol=1e-4)


@pytest.mark.parametrize("shared", [True, False])
def test_given_negatives_replace_those_of_the_batch(shared):
    query, key = _pairs(4)
    negatives = torch.randn(*(() if shared else (4,)), 9, 6, dtype=torch.float64, requires_grad=True)

    def twin():
        scores = [
            torch.nn.functional.cosine_similarity(query.unsqueeze(1), x, dim=-1) for x in (key.unsqueeze(1), negatives)
        ]
        return -torch.log_softmax(torch.cat(scores, 1) / 0.07, 1)[:, 0]

    found, expected = info_nce(query, key, negatives=negatives, reduction="none"), twin()
    assert torch.allclose(found, expected)
    weight = torch.rand(4, dtype=torch.float64)
    gradients = [torch.autograd.grad((x * weight).sum(), (query, key, negatives)) for x in (found, expected)]
    assert all(torch.allclose(*pair) for pair in zip(*gradients, strict=True))


def test_no_negatives_at_all_is_certain():
    query, key = _pairs(4)
    value = info_nce(query, key, negatives=torch.zeros(0, 6, dtype=torch.float64))
    assert value == 0 and torch.equal(torch.autograd.grad(value, query)[0], torch.zeros_like(query))


def test_first_loss_of_a_blind_network_is_log_batch():
    assert info_nce(torch.ones(8, 3), torch.ones(8, 3)) == pytest.approx(math.log(8))


@pytest.mark.parametrize("symmetric", [False, True])
def test_the_last_digits_survive_a_low_temperature(symmetric):
    assert info_nce(torch.ones(6, 2), torch.ones(6, 2), symmetric=symmetric).item() == pytest.approx(
        math.log(6), rel=3e-7
    )


def test_a_row_of_zeros_has_a_finite_gradient():
    query = torch.zeros(3, 4, requires_grad=True)
    assert torch.autograd.grad(info_nce(query, torch.randn(3, 4)), query)[0].isfinite().all()


def test_messages():
    with pytest.raises(ShapeError, match=r"query and key of one shape .* got query \(2, 3\), key \(3, 3\)"):
        info_nce(torch.zeros(2, 3), torch.zeros(3, 3))
    with pytest.raises(ShapeError, match=r"negatives must be .* queries \(2, 3\), got \(5, 4\)"):
        info_nce(torch.zeros(2, 3), torch.zeros(2, 3), negatives=torch.zeros(5, 4))
    with pytest.raises(RequestError, match=r"symmetric=True compares a batch with itself, got negatives"):
        info_nce(torch.zeros(2, 3), torch.zeros(2, 3), negatives=torch.zeros(5, 3), symmetric=True)
