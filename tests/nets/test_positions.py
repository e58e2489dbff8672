import cmath

import pytest
import torch

from evenkeel.errors import RequestError, ShapeError
from evenkeel.nets.positions import LearnedPositions, positions_of, rotation_of, turned


def test_positions_run_like_the_patches_of_an_image():
    image = torch.arange(6).view(2, 3)
    assert [image[row, column].item() for row, column in positions_of((2, 3)).tolist()] == list(range(6))
    assert positions_of((3,), start=4).tolist() == [[4], [5], [6]]


def test_a_turn_agrees_with_complex_numbers():
    """Pair by pair: (unit j, unit j + pairs) times exp(i · p · 10000^(-j / pairs))."""
    x = torch.randn(1, 1, 5, 8, dtype=torch.float64)
    found = turned(x, rotation_of(positions_of((5,), start=3), 8))
    for step in range(5):
        for pair in range(4):
            angle = (3 + step) * 10000 ** (-pair / 4)
            number = complex(x[0, 0, step, pair], x[0, 0, step, pair + 4]) * cmath.exp(1j * angle)
            assert complex(found[0, 0, step, pair], found[0, 0, step, pair + 4]) == pytest.approx(number, abs=1e-6)


def test_a_score_depends_on_the_distance_alone():
    query, key = torch.randn(2, 1, 1, 1, 16)

    def score(at, other):
        turn = [turned(x, rotation_of(positions_of((1,), start=place), 16)) for x, place in ((query, at), (key, other))]
        return (turn[0] * turn[1]).sum()

    torch.testing.assert_close(score(3, 1), score(103, 101), atol=1e-4, rtol=1e-4)
    assert (score(3, 1) - score(4, 1)).abs() > 1e-3


def test_rows_and_columns_turn_pairs_of_their_own():
    rotation = rotation_of(positions_of((3, 4)), 8).unflatten(1, (3, 4))
    assert torch.equal(rotation[:, :, :1, :2].expand(-1, -1, 4, -1), rotation[..., :2]), "rows turn the first pairs"
    assert torch.equal(rotation[:, :1, :, 2:].expand(-1, 3, -1, -1), rotation[..., 2:]), "columns the others"
    torch.testing.assert_close(rotation[:, :, 0, :2], rotation[:, 0, :3, 2:])


def test_a_turn_changes_no_length_and_keeps_its_type():
    x = torch.randn(2, 3, 50, 8)
    found = turned(x, rotation_of(positions_of((50,)), 8))
    torch.testing.assert_close(found.norm(dim=-1), x.norm(dim=-1))
    assert turned(x.bfloat16(), rotation_of(positions_of((50,)), 8)).dtype == torch.bfloat16


@pytest.mark.parametrize("sizes, head_width, least", [((4,), 5, 2), ((2, 2), 6, 4)])
def test_units_that_do_not_pair_up_are_refused(sizes, head_width, least):
    with pytest.raises(RequestError, match=rf"must be a multiple of {least}, got {head_width}; .* positions='learned'"):
        rotation_of(positions_of(sizes), head_width)


def test_learned_positions_are_those_of_each_axis_added():
    net = LearnedPositions(2, 5, 4)
    found = net((2, 3))
    for number, (row, column) in enumerate(positions_of((2, 3)).tolist()):
        torch.testing.assert_close(found[number], net.weight[0, row] + net.weight[1, column])
    steps = LearnedPositions(1, 5, 4)
    assert torch.equal(steps((2,), start=3), steps((5,))[3:])


@pytest.mark.parametrize("axes", [1, 2])
def test_learned_positions_start_with_the_variance_asked_for(axes):
    found = LearnedPositions(axes, 40, 64, variance=0.5)((40,) * axes)
    assert found.var().item() == pytest.approx(0.5, rel=0.15)


def test_what_goes_beyond_the_longest_is_refused():
    net = LearnedPositions(1, 5, 4)
    for sizes, start in [((6,), 0), ((1,), 5)]:
        with pytest.raises(ShapeError, match=r"up to longest=5 along an axis, got 6; try a larger longest, .*'rotary'"):
            net(sizes, start=start)
    with pytest.raises(ShapeError, match="got 9"):
        LearnedPositions(2, 5, 4)((2, 9))
    with pytest.raises(RequestError, match="at least one place, got longest=0"):
        LearnedPositions(1, 0, 4)
