import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.losses import info_nce, similarity_info_nce


def plain(similarity, temperature=1.0, symmetric=False):
    scores = similarity / temperature
    row = -torch.log_softmax(scores, 1).diagonal()
    return 0.5 * (row - torch.log_softmax(scores, 0).diagonal()) if symmetric else row


@pytest.mark.parametrize("symmetric", [False, True])
def test_agrees_with_the_loss_of_embeddings(symmetric):
    query, key = torch.nn.functional.normalize(torch.randn(2, 6, 4, dtype=torch.float64), dim=-1)
    expected = info_nce(query, key, temperature=0.3, symmetric=symmetric)
    assert torch.allclose(similarity_info_nce(query @ key.T, temperature=0.3, symmetric=symmetric), expected)


def test_positives_may_be_named_or_marked():
    similarity = torch.randn(3, 5)
    log_p = torch.log_softmax(similarity, 1)
    named = similarity_info_nce(similarity, positives=torch.tensor([4, 0, 2]), reduction="none")
    assert torch.allclose(named, -log_p[torch.arange(3), torch.tensor([4, 0, 2])])
    mask = torch.tensor([[1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1]]).bool()
    marked = similarity_info_nce(similarity, positives=mask, reduction="none")
    assert torch.allclose(marked, torch.stack([-log_p[0, :2].mean(), torch.tensor(0.0), -log_p[2, 4]]))
    assert torch.allclose(similarity_info_nce(similarity, positives=mask), marked.sum() / 2)


@pytest.mark.parametrize("symmetric", [False, True])
def test_soft_targets_are_shares(symmetric):
    similarity = torch.randn(4, 4, dtype=torch.float64, requires_grad=True)
    soft = torch.rand(4, 4, dtype=torch.float64)
    soft[:, 2], soft[1] = 0, 0  # a key and a row that nobody wants
    log_p = [torch.log_softmax(x, 1) for x in (similarity / 0.3, similarity.T / 0.3)]
    rows, columns = (
        (-(x * p).sum(1)[some] / x.sum(1)[some]).mean()
        for x, p, some in zip((soft, soft.T), log_p, ([0, 2, 3], [0, 1, 3]), strict=True)
    )
    expected = 0.5 * (rows + columns) if symmetric else rows
    found = similarity_info_nce(similarity, temperature=0.3, symmetric=symmetric, positives=soft)
    assert torch.allclose(found, expected)
    assert torch.allclose(*(torch.autograd.grad(x, similarity)[0] for x in (found, expected)))


def test_soft_targets_of_zeros_and_ones_are_a_mask():
    similarity, mask = torch.randn(5, 7), torch.rand(5, 7) < 0.4
    found = similarity_info_nce(similarity, positives=mask.float(), reduction="none")
    assert torch.equal(found, similarity_info_nce(similarity, positives=mask, reduction="none"))


def test_a_key_that_is_ruled_out_takes_no_part():
    similarity = torch.tensor([[1.0, -torch.inf], [0.5, 2.0]], requires_grad=True)
    value = similarity_info_nce(similarity)
    assert value.isfinite() and torch.autograd.grad(value, similarity)[0].isfinite().all()


def test_without_any_positive_it_is_zero_with_zero_gradient():
    similarity = torch.randn(2, 2, requires_grad=True)
    value = similarity_info_nce(similarity, positives=torch.zeros(2, 2, dtype=torch.bool))
    assert value == 0 and torch.equal(torch.autograd.grad(value, similarity)[0], torch.zeros(2, 2))


def test_messages():
    with pytest.raises(ShapeError, match=r"similarity must be a matrix \(row, key\), got \(3,\); try query @ key.T"):
        similarity_info_nce(torch.zeros(3))
    with pytest.raises(
        ShapeError,
        match=r"positives must be the column of each row \(3,\), or a mask or soft targets \(3, 2\), got None",
    ):
        similarity_info_nce(torch.zeros(3, 2))
    with pytest.raises(ShapeError, match=r"symmetric=True needs as many columns as rows, got \(2, 3\)"):
        similarity_info_nce(torch.zeros(2, 3), symmetric=True)
