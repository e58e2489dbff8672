import numpy as np
import pytest
import torch
from PIL import Image

from evenkeel.errors import DataError
from evenkeel.kinds.image.arrays import as_pixels
from evenkeel.kinds.image.files import ORIENTATION, ImageForm, decode
from evenkeel.kinds.image.in_memory import is_picture, pictures_like, read_pictures
from evenkeel.kinds.image.schema import ImageOptions

OPTIONS = ImageOptions()


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_only_images_of_pillow_are_pictures():
    assert is_picture(Image.new("L", (2, 2))) and not is_picture(np.zeros((2, 2))) and not is_picture("a.png")


@pytest.mark.parametrize("shape", [(3, 8, 9), (3, 8, 9, 3), (3, 8, 9, 4), (3, 3, 8, 9), (3, 8, 9, 6)])
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32])
def test_equal_sizes_are_read_as_one_array(shape, kind):
    whole = noise(*shape).astype(kind)
    pixels, notes = read_pictures(list(whole), OPTIONS)
    assert torch.equal(pixels, as_pixels(whole)) and pixels.dtype == as_pixels(whole).dtype and notes == ()
    assert torch.equal(read_pictures([torch.from_numpy(each) for each in whole], OPTIONS)[0], pixels)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "LA", "1"])
def test_pictures_are_what_their_files_are(mode, tmp_path):
    images = [Image.fromarray(noise(8, 9, 3, seed=seed)).convert(mode) for seed in range(2)]
    images.append(images[0].resize((7, 6)))
    paths = [tmp_path / f"{place}.png" for place in range(3)]
    for path, image in zip(paths, images, strict=True):
        image.save(path)
    pixels, notes = read_pictures(images, OPTIONS)
    form = ImageForm(height=9, width=9, channels=pixels.shape[1])
    assert torch.equal(pixels, decode(paths, form).pixels) and notes[0].startswith("Images of 2 different sizes")
    assert torch.equal(pictures_like(images, form), pixels)


def test_a_palette_and_a_turn_are_resolved_at_equal_sizes_too():
    palette = Image.fromarray(noise(8, 8, 3)).convert("P")
    assert read_pictures([palette, palette], OPTIONS)[0].shape[1] == 3
    turned = Image.fromarray(noise(8, 8))
    turned.getexif()[ORIENTATION] = 3
    assert (read_pictures([turned], OPTIONS)[0][0, 0].numpy() == np.rot90(np.asarray(turned), 2)).all()


@pytest.mark.parametrize("scale", [lambda x: x, lambda x: x / 255, lambda x: x.astype(int), lambda x: x.astype(float)])
def test_different_sizes_of_any_type_become_bytes(scale):
    images = [noise(8, 8), noise(6, 8), noise(8, 8, 3), noise(3, 5, 8), noise(7, 7, 2)]
    pixels, notes = read_pictures([scale(image) for image in images], OPTIONS)
    assert torch.equal(pixels, read_pictures(images, OPTIONS)[0]) and pixels.dtype == torch.uint8
    assert len(notes) == 2 and "4 different sizes" in notes[0] and "differ in their channels" in notes[1]
    assert (pixels[2, :3].numpy() == images[2].transpose(2, 0, 1)).all() and (pixels[2, 3] == 255).all()
    assert (pixels[0, :3].numpy() == images[0]).all()


def test_black_and_white_is_full_range():
    pixels, _ = read_pictures([np.ones((4, 4), bool), np.zeros((4, 5), bool)], OPTIONS)
    assert pixels[0].min() == 255 and pixels[1].max() == 0


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([noise(4, 4), np.full((5, 5), 300)], "from 0 to 255 or from 0 to 1 .*, image 1 goes from 300 to 300"),
        ([noise(4, 4), np.full((5, 5), -0.5)], "image 1 goes from -0.5 to -0.5"),
        ([noise(4, 4), np.full((5, 5), np.nan)], "image 1 goes from nan to nan"),
        ([noise(9, 9, 6), noise(8, 9, 6)], "1 to 4 channels, image 0 has shape"),
        ([noise(4, 4), noise(4)], r"expected image 1 as \(height, width\) or with channels, got shape \(4,\)"),
        ([noise(4, 4), "cat"], "numbers, arrays or paths, got str in row 1"),
        ([[[1, 2], [3]]], "image 0 is no array"),
    ],
)
def test_what_cannot_be_brought_to_one_size_is_refused(items, message):
    with pytest.raises(DataError, match=message):
        read_pictures(items, OPTIONS)
