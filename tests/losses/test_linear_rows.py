import pytest
import torch

from evenkeel.losses import linear_rows as _linear_rows
from evenkeel.losses.linear_products import products_of
from evenkeel.losses.linear_rows import (
    CPU_LOGITS,
    CPU_ROWS,
    HALF_CHUNKS,
    ROW_STEP,
    Problem,
    chunk_rows,
    row_values,
    weighted_sum,
)


@pytest.mark.parametrize("spread", [None, torch.rand(6).double()])
def test_the_two_ways_to_the_gradient_agree_over_several_chunks(spread):
    rows = 2 * CPU_ROWS + 3
    features, weight = torch.randn(rows, 3).double().requires_grad_(), torch.randn(6, 3).double().requires_grad_()
    kept = (torch.rand(rows) < 0.8).double()
    problem = Problem(features, weight, None, torch.randint(6, (rows,)), torch.rand(rows) * kept, kept, spread)
    share = torch.tensor(0.7, dtype=torch.float64)
    again, at_once = row_values(problem).sum() * share, weighted_sum(problem, share)
    assert torch.allclose(again, at_once)
    gradients = [torch.autograd.grad(x, (features, weight)) for x in (again, at_once)]
    assert all(torch.allclose(*pair) for pair in zip(*gradients, strict=True))


@pytest.mark.parametrize("spread", [None, torch.rand(6).double()])
def test_the_softmax_of_a_few_rows_at_a_time_is_the_same(spread, monkeypatch):
    features, weight = torch.randn(50, 3).double().requires_grad_(), torch.randn(6, 3).double().requires_grad_()
    given = Problem(
        features,
        weight,
        torch.randn(6).double(),
        torch.randint(6, (50,)),
        torch.rand(50).double(),
        torch.ones(50).double(),
        spread,
    )
    found = []
    for numbers in (2**18, 18):  # all rows of a chunk, three of them
        monkeypatch.setattr(_linear_rows, "CPU_BLOCK", numbers)
        value = weighted_sum(given, torch.tensor(0.7).double())
        found.append((value, *torch.autograd.grad(value, (features, weight))))
    assert all(torch.allclose(*pair) for pair in zip(*found, strict=True))


def problem(features, weight):
    rows = len(features)
    return Problem(features, weight, None, torch.zeros(rows).long(), torch.ones(rows), torch.ones(rows), None)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("rows", "tokens"), [(0, 7), (10, 7), (1024, 16384), (2048, 8192), (10**6, 50), (10**4, 10**6)]
)
def test_a_chunk_is_a_small_part_of_many_rows(rows, tokens, dtype):
    given = problem(torch.empty(rows, 1, dtype=dtype), torch.empty(1, 1, dtype=dtype).expand(tokens, 1))
    size = chunk_rows(given, products_of(given.features, given.weight))
    assert size % ROW_STEP == 0 and ROW_STEP <= size <= max(ROW_STEP, rows / HALF_CHUNKS)
    assert size <= CPU_ROWS or size * tokens <= CPU_LOGITS


def test_small_gradients_of_float16_wait_for_the_scale_of_the_loss():
    """A mean over 2^20 rows makes them too small for float16; a scaled loss brings them back, as a scaler expects."""
    features, weight = torch.randn(6, 4).half().requires_grad_(), torch.randn(5, 4).half().requires_grad_()
    share, scale = torch.tensor(2.0**-24), 2.0**24
    found = torch.autograd.grad(scale * weighted_sum(problem(features, weight), share), (features, weight))
    expected = torch.autograd.grad(row_values(problem(features, weight)).sum(), (features, weight))
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float16 and one.abs().max() > 0.1
        assert torch.allclose(one, other, rtol=2e-3, atol=1e-3)


def test_a_second_backward_pass_gives_the_same_and_leaves_the_first_alone():
    features, weight = torch.randn(5, 3).requires_grad_(), torch.randn(4, 3).requires_grad_()
    value = weighted_sum(problem(features, weight), torch.tensor(0.5))
    first = torch.autograd.grad(value, (features, weight), torch.tensor(2.0), retain_graph=True)
    kept = [x.clone() for x in first]
    second = torch.autograd.grad(value, (features, weight), retain_graph=True)
    for one, copy, two in zip(first, kept, second, strict=True):
        assert torch.equal(one, copy) and torch.allclose(one, 2 * two)
