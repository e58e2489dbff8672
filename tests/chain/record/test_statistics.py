import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from evenkeel.chain.record.statistics import (
    dead_share,
    example_axis,
    example_rows,
    mean_cosine,
    norm_of,
    norms_of,
    numbers,
    saturated_share,
    summarise,
    summarise_all,
    unit_axes,
)


def pairwise(rows):
    """The slow twin: every pair of different rows."""
    count = len(rows)
    pairs = [F.cosine_similarity(rows[i], rows[j], dim=0) for i in range(count) for j in range(count) if i != j]
    return torch.stack(pairs).mean()


def test_mean_cosine_against_all_pairs():
    rows = torch.randn(9, 5, dtype=torch.float64) + 0.5
    assert mean_cosine(rows, rows.norm(dim=1)).item() == pytest.approx(pairwise(rows).item(), rel=1e-9)


def test_rows_of_zeros_are_alike_and_unlike_all_others():
    rows = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    assert mean_cosine(rows, rows.norm(dim=1)).item() == pytest.approx(4 / 12)
    assert mean_cosine(torch.zeros(3, 2), torch.zeros(3)).item() == 1.0


@pytest.mark.parametrize(("shape", "batch", "axis"), [
    ((8, 3), 8, 0), ((4, 8, 3), 8, 1), ((24, 3), 8, 0), ((5, 3), 8, None), ((8,), 8, 0), ((), 8, None),
    ((8, 3), None, None), ((0, 3), 8, None),
])  # fmt: skip
def test_the_axis_of_examples(shape, batch, axis):
    assert example_axis(shape, batch) == axis


def test_rows_keep_each_example_together():
    value = torch.arange(24.0).reshape(2, 4, 3)
    assert torch.equal(example_rows(value, 4)[1], torch.tensor([3.0, 4, 5, 15, 16, 17]))
    folded = torch.arange(24.0).reshape(8, 3)
    assert torch.equal(example_rows(folded, 4)[0], torch.arange(6.0))


def test_summaries_and_norms_in_every_precision():
    value = torch.randn(6, 50)
    for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16):
        found = summarise(value.to(dtype), 6)
        assert found.norm.item() == pytest.approx(value.norm().item(), rel=1e-2)
        assert found.similarity.item() == pytest.approx(pairwise(value).item(), abs=1e-2)
        assert norm_of((value * 300).to(dtype)).item() == pytest.approx(300 * value.norm().item(), rel=1e-2)
    assert summarise(value[:1], 1).similarity is None
    assert norm_of(torch.eye(3).to_sparse()).item() == pytest.approx(3**0.5)


def test_dead_units_are_zero_for_all_inputs_and_positions():
    flat = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
    assert dead_share(flat, "units").item() == pytest.approx(1 / 3)
    image = torch.zeros(2, 4, 3, 3)
    image[1, 2, 0, 0] = 1.0
    assert dead_share(image, "convolution").item() == pytest.approx(3 / 4)
    members = torch.zeros(2, 5, 3)
    members[0, :, 0] = 1.0
    assert dead_share(members, "members").item() == pytest.approx(5 / 6)
    assert dead_share(members, "units").item() == pytest.approx(2 / 3)
    assert unit_axes((4,), "units") == []


def test_saturated_entries_have_almost_no_slope():
    z = torch.linspace(-6, 6, 2001, dtype=torch.float64, requires_grad=True)
    for name, function, steepest in (("tanh", torch.tanh, 1.0), ("sigmoid", torch.sigmoid, 0.25)):
        y = function(z)
        slope = torch.autograd.grad(y.sum(), z)[0]
        flat = (slope < 0.05 * steepest).double().mean().item()
        assert saturated_share(y, name).item() == pytest.approx(flat, abs=1e-3)
    assert saturated_share(F.hardtanh(torch.tensor([-3.0, 0.0, 0.5, 2.0])), "hardtanh").item() == 0.5
    assert saturated_share(torch.tensor([-0.9, 0.3]), "hardtanh").item() == 0.0  # ends of the range, not of the batch
    assert saturated_share(torch.tensor([0.0, 0.0, 3.0, 6.0]), "hardtanh", (0.0, 6.0)).item() == 0.25  # ReLU6
    assert saturated_share(torch.tensor([0.0, 0.5, 1.0, 0.9]), "hardsigmoid").item() == 0.5


@pytest.mark.parametrize("size", [1e-30, 1e-25, 1.0, 1e25, 1e30])
def test_norms_hold_where_squares_of_float32_do_not(size):
    rows = torch.randn(6, 50) * size
    exact = rows.double().norm().item()
    assert norm_of(rows).item() == pytest.approx(exact, rel=1e-6)
    assert norms_of([rows, rows[:2]]) == pytest.approx([exact, rows[:2].double().norm().item()])
    found = summarise(rows, 6)
    assert found.norm.item() == pytest.approx(exact, rel=1e-6)
    assert found.similarity.item() == pytest.approx(pairwise(rows.double() / size).item(), abs=1e-5)


def test_norms_of_complex_and_mixed_tensors():
    value = torch.randn(4, 3, dtype=torch.complex64)
    assert norm_of(value).item() == pytest.approx(value.abs().square().sum().sqrt().item(), rel=1e-6)
    assert example_rows(value, 4).shape == (4, 6)
    mixed = [value, torch.ones(3), torch.eye(3).to_sparse()]
    assert norms_of(mixed) == pytest.approx([norm_of(one).item() for one in mixed])


def test_summaries_of_many_are_those_of_each():
    values = [torch.randn(6, 4), torch.randn(6, 4).relu(), torch.randn(6, 3, 2), torch.randn(7, 4), torch.zeros(6, 4)]
    values += [torch.randn(6, 4).bfloat16(), torch.randn(6, 4, dtype=torch.float64), torch.randn(6, 4).sort()[0]]
    values += [torch.randn(6, 1000) for _ in range(5)]  # more than are copied side by side at once
    for found, value in zip(summarise_all(values, 6), values, strict=True):
        single = summarise(value, 6)
        assert found.count == single.count
        assert found.norm.item() == pytest.approx(single.norm.item(), rel=1e-6)
        assert (found.similarity is None) == (single.similarity is None)
        if found.similarity is not None:
            assert found.similarity.item() == pytest.approx(single.similarity.item(), abs=1e-6)


def test_numbers_fetches_everything_at_once():
    assert numbers([torch.tensor(1.5), torch.tensor(2, dtype=torch.float64)]) == [1.5, 2.0]
    assert numbers([]) == []
