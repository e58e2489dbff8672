import pytest
import torch

from _unchecked import unchecked
from evenkeel.errors import DataError, RequestError, ShapeError
from evenkeel.nets.steps import AttentionPool, EndsPool, Pool, blanked, padding_of

LENGTHS = torch.tensor([2, 4, 1])


def test_padding_is_what_lies_behind_the_real_steps():
    found = padding_of(LENGTHS, torch.zeros(3, 4, 2))
    assert found.tolist() == [[column >= length for column in range(4)] for length in LENGTHS.tolist()]
    assert padding_of(None, torch.zeros(3, 4)) is None


@pytest.mark.parametrize("pooling", ["mean", "last", "first"])
def test_pooling_agrees_with_its_slow_twin_and_never_reads_padding(pooling):
    values = torch.randn(3, 4, 5, dtype=torch.float64)
    padding = padding_of(LENGTHS, values)
    rows = [values[row, :length] for row, length in enumerate(LENGTHS.tolist())]
    twin = {"mean": lambda x: x.mean(0), "last": lambda x: x[-1], "first": lambda x: x[0]}[pooling]
    spoilt = values.masked_fill(padding.unsqueeze(2), torch.nan)
    torch.testing.assert_close(Pool(pooling)(spoilt, padding), torch.stack([twin(row) for row in rows]))
    whole = torch.stack([twin(row) for row in values])
    torch.testing.assert_close(Pool(pooling)(values), whole)
    torch.testing.assert_close(Pool(pooling)(values, padding_of(torch.full((3,), 4), values)), whole)


def test_without_pooling_each_step_stays_and_padding_is_zero():
    values = torch.randn(3, 4, 5)
    found = Pool(None)(values, padding_of(LENGTHS, values))
    assert torch.equal(found[0, :2], values[0, :2]) and found[0, 2:].abs().max() == 0
    assert torch.equal(Pool(None)(values), values)


def test_the_gradient_reaches_real_steps_alone():
    values = torch.randn(3, 4, 5, requires_grad=True)
    Pool("mean")(values, padding_of(LENGTHS, values)).sum().backward()
    expected = torch.zeros(3, 4, 5)
    for row, length in enumerate(LENGTHS.tolist()):
        expected[row, :length] = 1 / length
    torch.testing.assert_close(values.grad, expected)


def test_blanking_works_with_any_axes_and_types():
    padding = padding_of(LENGTHS, torch.zeros(3, 4))
    tokens = torch.full((3, 4), 7)
    assert blanked(tokens, padding).sum() == 7 * LENGTHS.sum()
    assert blanked(tokens, None) is tokens


@pytest.mark.parametrize(
    "lengths, error, message",
    [
        (torch.tensor([1.0, 2.0, 3.0]), ShapeError, r"whole numbers of shape \(3,\), .* got torch.float32"),
        (torch.tensor([True, True, True]), ShapeError, "got torch.bool"),
        (torch.tensor([1, 2]), ShapeError, r"got torch.int64 of shape \(2,\)"),
        (torch.tensor([0, 2, 4]), DataError, "from 1 to the 4 steps there are, got 0 to 4; leave out examples"),
        (torch.tensor([1, 2, 5]), DataError, "got 1 to 5; .* pad to the longest"),
    ],
)
def test_lengths_that_cannot_be_are_refused(lengths, error, message):
    with unchecked(), pytest.raises(error, match=message):
        padding_of(lengths, torch.zeros(3, 4, 2))


def test_lengths_need_steps():
    with unchecked(), pytest.raises(ShapeError, match=r"got values of \(3,\)"):
        padding_of(LENGTHS, torch.zeros(3))


def test_another_pooling_is_refused():
    with (
        unchecked(),
        pytest.raises(RequestError, match="pooling must be one of 'mean', 'last', 'first', None; got 'max'"),
    ):
        Pool("max")


def test_attention_agrees_with_its_slow_twin_and_never_reads_padding():
    values = torch.randn(3, 4, 6, dtype=torch.float64)
    padding, pool = padding_of(LENGTHS, values), AttentionPool(6).double()
    torch.nn.init.normal_(pool.query)
    found = pool(values.masked_fill(padding.unsqueeze(2), torch.nan), padding)
    for row, length in enumerate(LENGTHS.tolist()):
        real = values[row, :length]
        raised = [torch.exp((step * pool.query).sum()) for step in real]
        expected = sum(weight * step for weight, step in zip(raised, real, strict=True)) / sum(raised)
        torch.testing.assert_close(found[row], expected)
        torch.testing.assert_close(pool(real.unsqueeze(0))[0], expected)


def test_attention_begins_as_the_mean_and_learns_from_the_first_step():
    values = torch.randn(3, 4, 6)
    pool = AttentionPool(6)
    torch.testing.assert_close(pool(values), Pool("mean")(values))
    pool(values).square().sum().backward()
    assert pool.query.grad.abs().min() > 0


def test_padding_gets_no_gradient():
    values = torch.randn(3, 4, 6, requires_grad=True)
    padding = padding_of(LENGTHS, values)
    for pool in AttentionPool(6), EndsPool():
        values.grad = None
        pool(values, padding).square().sum().backward()
        assert values.grad.isfinite().all() and not values.grad[padding].any()


def test_each_direction_ends_where_it_has_read_all():
    values = torch.randn(3, 4, 6)
    found = EndsPool()(values, padding_of(LENGTHS, values))
    for row, length in enumerate(LENGTHS.tolist()):
        assert torch.equal(found[row], torch.cat((values[row, length - 1, :3], values[row, 0, 3:])))
    assert torch.equal(EndsPool()(values), EndsPool()(values, padding_of(torch.full((3,), 4), values)))
