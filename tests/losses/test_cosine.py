import pytest
import torch

from evenkeel.errors import RequestError
from evenkeel.losses import info_nce, nt_xent
from evenkeel.losses.cosine import CPU_BLOCK, LEAST, SINGLE, band, keep_band_, scale_of, side, spans


@pytest.mark.parametrize("size", [1e-30, 1e-3, 1.0, 1e4, 1e30])
def test_rows_have_unit_length_at_any_size(size):
    embedding = torch.randn(CPU_BLOCK + 5, 3)
    found = side(embedding * size).unit(slice(None))
    assert torch.allclose(found, torch.nn.functional.normalize(embedding), atol=1e-6)


def test_a_row_of_zeros_stays_zero():
    assert torch.equal(side(torch.zeros(2, 3)).unit(slice(None)), torch.zeros(2, 3))


def test_blocks_cover_every_row_once():
    found = list(spans(torch.zeros(2 * CPU_BLOCK + 1, 0)))
    assert [(s.start, s.stop) for s in found] == [
        (0, CPU_BLOCK),
        (CPU_BLOCK, 2 * CPU_BLOCK),
        (2 * CPU_BLOCK, 2 * CPU_BLOCK + 1),
    ]
    assert list(spans(torch.zeros(0, 3))) == []


@pytest.mark.parametrize("shift", [-4, 0, 2, 30])
def test_bands_of_all_blocks_make_the_diagonal(shift):
    matrix, found = torch.randn(6, 9), torch.full((6,), torch.nan)
    for rows in (slice(0, 4), slice(4, 6)):
        for keys in (slice(0, 5), slice(5, 9)):
            block = matrix[rows, keys].clone()
            keep_band_(found, block, rows, keys, shift)
            band(block, rows, keys, shift).zero_()
            ones = torch.arange(6)[rows].unsqueeze(1) + shift == torch.arange(9)[keys]
            assert torch.equal(block, matrix[rows, keys].masked_fill(ones, 0))
    for row in range(6):
        inside = 0 <= row + shift < 9
        assert (found[row] == matrix[row, row + shift]) if inside else found[row].isnan()


@pytest.mark.parametrize("temperature", [SINGLE, SINGLE - 1e-4, 0.01, LEAST])
@pytest.mark.parametrize("symmetric", [True, False])
def test_opposite_pairs_stay_finite_at_the_lowest_temperatures(temperature, symmetric):
    query = torch.eye(2)[torch.arange(300) % 2].requires_grad_()  # the worst case: the positive is the farthest key
    value = info_nce(query, -query.detach(), temperature=temperature, symmetric=symmetric)
    assert value.item() == pytest.approx(1 / temperature + torch.tensor(150.0).log().item(), rel=1e-5)
    assert torch.autograd.grad(value, query)[0].isfinite().all()


@pytest.mark.parametrize("loss", [info_nce, nt_xent])
def test_a_learned_temperature_may_fall_without_limit(loss):
    temperature = torch.tensor(1e-6, requires_grad=True)
    left, right = torch.randn(2, 4, 3)
    assert loss(left, right, temperature=temperature).isfinite()
    assert torch.equal(loss(left, right, temperature=temperature), loss(left, right, temperature=torch.tensor(LEAST)))


def test_messages():
    with pytest.raises(RequestError, match=r"temperature must be at least 0.003, got 0; try temperature=0.07"):
        scale_of(0, torch.zeros(1))
