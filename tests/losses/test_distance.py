import pytest
import torch

from evenkeel.losses.distance import all_distances, row_distance


@pytest.mark.parametrize("kind", ["euclidean", "cosine"])
def test_rows_are_the_diagonal_of_all(kind):
    left, right = torch.randn(2, 5, 3, dtype=torch.float64)
    assert torch.allclose(row_distance(left, right, kind), all_distances(left, right, kind).diagonal())


def test_cosine_runs_from_zero_to_two():
    left = torch.tensor([[1.0, 0.0]])
    right = torch.tensor([[3.0, 0.0], [0.0, 2.0], [-1.0, 0.0]])
    assert torch.allclose(all_distances(left, right, "cosine"), torch.tensor([[0.0, 1.0, 2.0]]))


def test_near_neighbours_far_from_the_origin_keep_their_distance():
    left = torch.full((1, 2), 1000.0)
    assert all_distances(left, left + torch.tensor([0.003, 0.004])).item() == pytest.approx(0.005, rel=0.03)


@pytest.mark.parametrize("kind", ["euclidean", "cosine"])
@pytest.mark.parametrize("function", [row_distance, all_distances])
def test_points_that_coincide_have_a_finite_gradient(function, kind):
    left = torch.ones(2, 3, requires_grad=True)
    assert torch.autograd.grad(function(left, torch.ones(2, 3), kind).sum(), left)[0].abs().max() < 1e-6
