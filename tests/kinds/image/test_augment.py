import math

import pytest
import torch

from evenkeel.kinds.image.augment import Affine, resample, uniform

STILL = {"shift": 0.0, "turn": 0.0, "size": 0.0, "slant": 0.0}


def hashed(seed, epoch, row, place):
    """The same hash with Python's own whole numbers."""
    mask = (1 << 64) - 1

    def mix(x):
        x = (x + 0x9E3779B97F4A7C15) & mask
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
        return x ^ (x >> 31)

    x = seed
    for number in (epoch, row, place):
        x = mix((x + number) & mask)
    return (x >> 40) / 2**24


@pytest.mark.parametrize("seed", [0, 1, 123_456_789])
def test_the_hash_is_that_of_exact_arithmetic(seed):
    rows = torch.tensor([0, 1, 59_999, 2**40])
    drawn = uniform(rows, seed=seed, epoch=7, count=3)
    expected = [[hashed(seed, 7, int(row), place) for place in range(3)] for row in rows]
    assert drawn.tolist() == expected


def test_what_is_drawn_depends_on_seed_epoch_and_row_alone():
    rows = torch.tensor([5, 3, 8])
    whole = uniform(rows, seed=1, epoch=2, count=4)
    assert torch.equal(whole[[2, 0]], uniform(rows[[2, 0]], seed=1, epoch=2, count=4))
    for other in ({"seed": 2, "epoch": 2}, {"seed": 1, "epoch": 3}):
        assert (uniform(rows, **other, count=4) != whole).all()


def test_numbers_are_even_and_do_not_hang_together():
    drawn = uniform(torch.arange(20_000), seed=0, epoch=0, count=7)
    assert drawn.min() >= 0 and drawn.max() < 1
    assert (drawn.mean(0) - 0.5).abs().max() < 4 * math.sqrt(1 / 12 / 20_000)
    assert (drawn.T.corrcoef() - torch.eye(7)).abs().max() < 4 / math.sqrt(20_000)
    after = uniform(torch.arange(20_000), seed=0, epoch=1, count=7)
    assert torch.stack([drawn[:, 0], after[:, 0]]).corrcoef()[0, 1].abs() < 4 / math.sqrt(20_000)


def varied(images, **options):
    vary = Affine(seed=0, **{**STILL, **options})
    return vary({"pixels": images}, torch.arange(len(images)), 0)["pixels"]


def test_without_any_change_images_stay_as_they_are():
    images = torch.rand(5, 3, 9, 14)
    torch.testing.assert_close(varied(images), images)


def test_mirrored_images_are_half_of_them():
    images = torch.rand(400, 1, 4, 6)
    drawn = varied(images, flip="horizontal")
    mirrored = (drawn - images.flip(3)).abs().amax((1, 2, 3)) < 1e-5
    same = (drawn - images).abs().amax((1, 2, 3)) < 1e-5
    assert (mirrored | same).all() and 150 < mirrored.sum() < 250


def moments(images):
    """Mass, centre (x, y) and second moments of (row, 1, height, width), in pixels."""
    weight = images[:, 0].double()
    mass = weight.sum((1, 2))
    y, x = (axis.double() for axis in torch.meshgrid(*map(torch.arange, weight.shape[1:]), indexing="ij"))
    cx, cy = ((weight * axis).sum((1, 2)) / mass for axis in (x, y))
    dx, dy = x - cx[:, None, None], y - cy[:, None, None]
    return mass, cx, cy, *((weight * one).sum((1, 2)) / mass for one in (dx * dx, dx * dy, dy * dy))


def blobs(rows, height, width, long, short):
    """A smooth bar lying across the middle."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    blob = torch.exp(-(((x - (width - 1) / 2) / long) ** 2) - ((y - (height - 1) / 2) / short) ** 2)
    return blob.expand(rows, 1, height, width).contiguous()


def test_shifts_reach_so_many_pixels_and_no_further():
    _, x, y, *_ = moments(varied(blobs(500, 40, 60, 3, 3), shift=0.1))
    for centre, middle, most in ((x, 29.5, 6.0), (y, 19.5, 4.0)):
        away = (centre - middle).abs().max()
        assert 0.95 * most < away <= most + 0.01


def test_turning_keeps_the_shape_on_images_that_are_not_square():
    image = blobs(300, 60, 40, 9, 3)
    mass, _, _, xx, xy, yy = moments(varied(image, turn=15.0))
    mass0, *_, xx0, _, yy0 = moments(image)
    assert (mass / mass0 - 1).abs().max() < 0.01
    assert ((xx + yy) / (xx0 + yy0) - 1).abs().max() < 0.02  # a turn keeps the trace
    angle = 0.5 * torch.atan2(2 * xy, xx - yy).rad2deg().abs()
    assert 14.0 < angle.max() < 15.1


def test_sizes_change_by_the_share_at_most():
    mass, *_ = moments(varied(blobs(500, 40, 40, 4, 4), size=0.2))
    mass0, *_ = moments(blobs(1, 40, 40, 4, 4))
    share = mass / mass0
    assert 1 / 1.2**2 - 0.01 <= share.min() < 0.75 and 1.4 < share.max() <= 1 / 0.8**2 + 0.02


def test_slanting_leans_upright_bars_and_keeps_their_height():
    image = blobs(300, 50, 50, 3, 9)
    *_, xy, yy = moments(varied(image, slant=10.0))
    yy0 = moments(image)[-1]
    lean = (xy / yy).atan().rad2deg().abs()
    assert 9.0 < lean.max() <= 10.1 and (yy / yy0 - 1).abs().max() < 0.02


def test_beyond_the_edge_its_pixels_go_on():
    images = torch.full((20, 1, 6, 6), 9.0)
    torch.testing.assert_close(varied(images, shift=0.3, turn=20.0), images)


def test_a_batch_is_varied_as_each_of_its_images_alone():
    images = torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8)
    vary, rows = Affine(seed=3), torch.tensor([10, 4, 99, 7, 0, 5])
    whole = vary({"pixels": images, "other": rows}, rows, 5)
    assert whole["other"] is rows and whole["pixels"].dtype == torch.float32
    for place in range(6):
        alone = vary({"pixels": images[place : place + 1]}, rows[place : place + 1], 5)["pixels"]
        assert torch.equal(alone[0], whole["pixels"][place])


def test_resampling_follows_the_map():
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    matrix = torch.tensor([[[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]])  # rows and columns change places
    torch.testing.assert_close(resample(image, matrix), image.transpose(2, 3))
