import itertools

import numpy as np
import pytest
import torch

from evenkeel.nets.embed import Categories, PiecewiseLinear, quantile_edges


def slow_encoding(value, edges):
    """Piece by piece, as the formula says."""
    found = []
    for left, right in itertools.pairwise(edges):
        found.append(min(max((value - left) / (right - left), 0.0), 1.0))
    return found


@pytest.fixture
def edges():
    return [torch.tensor([-1.0, 0.0, 0.5, 3.0]), torch.empty(0), torch.tensor([10.0, 20.0])]


def test_encoding_agrees_with_its_slow_twin(edges):
    numbers = torch.tensor([[-5.0, 1.0, 9.0], [0.25, 2.0, 12.5], [0.5, 3.0, 20.0], [99.0, 4.0, 21.0]])
    found = PiecewiseLinear(edges)(numbers)
    expected = [
        slow_encoding(row[0], edges[0].tolist()) + slow_encoding(row[2], [10.0, 20.0]) for row in numbers.tolist()
    ]
    torch.testing.assert_close(found, torch.tensor(expected))
    assert PiecewiseLinear(edges).pieces == (3, 0, 1)


def test_encoding_is_monotone_and_between_zero_and_one():
    numbers = torch.randn(500, 2) * torch.tensor([1.0, 50.0])
    encode = PiecewiseLinear(quantile_edges(numbers, 16))
    line = torch.linspace(-300, 300, 2001)[:, None].expand(-1, 2)
    found = encode(line)
    assert (found.diff(dim=0) >= 0).all() and found.min() == 0 and found.max() == 1
    assert found.shape[1] == 32


def test_encoding_loses_nothing_inside_the_edges():
    """The pieces times their widths add up to the value again."""
    edges = [torch.tensor([-2.0, -1.0, 0.5, 4.0])]
    x = torch.linspace(-2, 4, 50)
    total = PiecewiseLinear(edges)(x[:, None]) @ edges[0].diff() + edges[0][0]
    torch.testing.assert_close(total, x)


def test_edges_are_the_quantiles_that_differ():
    numbers = torch.stack([torch.arange(101.0), torch.full((101,), 7.0), (torch.arange(101) > 90).float()], dim=1)
    numbers[50, 0] = torch.nan
    found = quantile_edges(numbers, 4)
    present = np.delete(np.arange(101.0), 50)
    np.testing.assert_allclose(found[0], np.quantile(present, [0, 0.25, 0.5, 0.75, 1.0]))
    assert found[1].numel() == 0, "a constant column has no pieces"
    assert found[2].tolist() == [0.0, 1.0]


def test_a_column_without_values_has_no_pieces():
    assert quantile_edges(torch.full((5, 1), torch.nan), 4)[0].numel() == 0


def test_edges_of_a_long_table_are_nearly_those_of_all_rows():
    numbers = torch.rand(250_000, 1)
    torch.testing.assert_close(quantile_edges(numbers, 4)[0], torch.linspace(0, 1, 5), atol=0.01, rtol=0)


def test_every_level_of_every_column_has_its_own_vector():
    vectors = Categories((3, 2), 4)
    found = vectors(torch.tensor([[0, 0], [2, 1]])).unflatten(1, (2, 4))
    torch.testing.assert_close(found[0, 0], vectors.vectors.weight[0])
    torch.testing.assert_close(found[1, 0], vectors.vectors.weight[2])
    torch.testing.assert_close(found[0, 1], vectors.vectors.weight[3])
    torch.testing.assert_close(found[1, 1], vectors.vectors.weight[4])
    assert vectors.outputs == 8 and vectors.vectors.num_embeddings == 5


def test_code_0_is_a_vector_like_any_other_and_learns():
    """Missing and unseen share it; it must not be the zero vector of a padding index."""
    vectors = Categories((3,), 4)
    vectors(torch.zeros(2, 1, dtype=torch.int64)).sum().backward()
    gradient = vectors.vectors.weight.grad
    assert vectors.vectors.weight[0].norm() > 0
    assert gradient[0].norm() > 0 and gradient[1:].norm() == 0


def test_members_have_their_own_vectors():
    vectors = Categories((3, 2), 4, members=5)
    codes = torch.tensor([[1, 0], [2, 1], [0, 1]])
    found = vectors(codes)
    assert found.shape == (5, 3, 8)
    table = vectors.vectors.weight.view(5, 5, 4)  # (level, member, dimension)
    for member in range(5):
        rows = torch.cat([table[codes[:, 0], member], table[3 + codes[:, 1], member]], dim=1)
        torch.testing.assert_close(found[member], rows)
