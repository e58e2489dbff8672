import torch

from evenkeel.nets.recurrent_pool import AttentionPool, EndsPool
from evenkeel.nets.steps import Pool, padding_of

LENGTHS = torch.tensor([2, 4, 1])


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
