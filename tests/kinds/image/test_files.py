import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evenkeel.errors import DataError
from evenkeel.kinds.image.files import (
    SUFFIXES,
    ImageForm,
    ImageHeader,
    decode,
    describe_failures,
    header_of,
    is_image,
    read_headers,
    shaped,
)


def noise(height, width, channels=3, seed=0):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def saved(folder, image, name="a.png", **options):
    path = folder / name
    image.save(path, **options)
    return path


def decoded(path, height, width, channels, aspect="pad"):
    decoded_set = decode([path], ImageForm(height=height, width=width, channels=channels, aspect=aspect))
    assert not decoded_set.failures
    return decoded_set.pixels[0].numpy()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_image_of_the_right_form_keeps_every_value(channels, tmp_path):
    values = noise(5, 7, channels)
    path = saved(tmp_path, Image.fromarray(values))
    expected = values[None] if channels == 1 else values.transpose(2, 0, 1)
    assert (decoded(path, 5, 7, channels) == expected).all()


@pytest.mark.parametrize(
    ("mode", "channels"),
    [("1", 1), ("L", 1), ("LA", 4), ("P", 3), ("RGB", 3), ("RGBA", 4), ("I;16", 1), ("CMYK", 3)],
)
def test_headers_tell_size_and_channels_that_hold_all_there_is(mode, channels, tmp_path):
    name = "a.tif" if mode == "CMYK" else "a.png"
    path = saved(tmp_path, Image.new(mode, (7, 5)), name)
    assert read_headers([path]) == [ImageHeader(height=5, width=7, channels=channels)]
    assert decoded(path, 5, 7, channels).shape == (channels, 5, 7)


def test_a_transparent_palette_counts_as_alpha(tmp_path):
    image = Image.new("P", (4, 4))
    image.info["transparency"] = 0
    (header,) = read_headers([saved(tmp_path, image, transparency=0)])
    assert header.channels == 4


def test_sixteen_bits_become_eight(tmp_path):
    values = np.array([[0, 257, 65535, 32896]], dtype=np.uint16)
    path = saved(tmp_path, Image.fromarray(values))
    assert decoded(path, 1, 4, 1).tolist() == [[[0, 1, 255, 128]]]


def test_what_is_transparent_becomes_white_where_no_alpha_is_kept(tmp_path):
    values = np.zeros((2, 2, 4), np.uint8)
    values[0, 0] = [255, 0, 0, 255]
    path = saved(tmp_path, Image.fromarray(values))
    assert decoded(path, 2, 2, 3)[:, 0].T.tolist() == [[255, 0, 0], [255, 255, 255]]
    assert decoded(path, 2, 2, 4)[3].tolist() == [[255, 0], [0, 0]]


def test_grey_becomes_colour_and_back(tmp_path):
    values = noise(4, 4, 1)
    path = saved(tmp_path, Image.fromarray(values))
    assert (decoded(path, 4, 4, 3) == values[None]).all()
    assert (decoded(path, 4, 4, 4)[3] == 255).all()
    colour = saved(tmp_path, Image.fromarray(np.stack([values] * 3, -1)), "b.png")
    assert (decoded(colour, 4, 4, 1)[0] == values).all()


def test_images_are_turned_upright(tmp_path):
    values = noise(6, 4, 1)
    tags = Image.Exif()
    tags[0x0112] = 6  # to be turned to the right by 90 degrees
    path = saved(tmp_path, Image.fromarray(values), exif=tags)
    assert read_headers([path]) == [ImageHeader(height=4, width=6, channels=1)]
    assert (decoded(path, 4, 6, 1)[0] == np.rot90(values, -1)).all()


def test_making_smaller_averages_all_pixels(tmp_path):
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    small = decoded(saved(tmp_path, Image.fromarray(board)), 8, 8, 1)
    assert abs(small.astype(int) - 127).max() <= 2  # taking single pixels would give 0 or 255


def test_padding_keeps_the_aspect_and_goes_on_with_the_edge(tmp_path):
    values = np.full((10, 20, 3), (10, 200, 30), np.uint8)
    values[3:7, 8:12] = 255
    result = decoded(saved(tmp_path, Image.fromarray(values)), 20, 20, 3)
    assert (result[:, :5] == np.array([10, 200, 30]).reshape(3, 1, 1)).all()
    bright = np.argwhere(result[0] > 128)
    assert (bright.max(0) - bright.min(0) + 1).tolist() == [4, 4]  # a square stays one


def test_cropping_keeps_the_middle(tmp_path):
    values = np.zeros((10, 30), np.uint8)
    values[:, 10:20] = 200
    assert (decoded(saved(tmp_path, Image.fromarray(values)), 10, 10, 1, "crop") == 200).all()


def test_a_large_jpeg_has_the_mean_of_what_it_shows(tmp_path):
    values = np.zeros((512, 512), np.uint8)
    values[:, 256:] = 240
    small = decoded(saved(tmp_path, Image.fromarray(values), "a.jpg", quality=95), 16, 16, 1)[0].astype(int)
    assert abs(small[:, :7]).max() <= 12 and abs(small[:, 9:] - 240).max() <= 12


def test_what_cannot_be_read_is_named_and_the_rest_stays_in_order(tmp_path):
    whole = [saved(tmp_path, Image.fromarray(noise(8, 8, 1, seed)), f"{seed}.png") for seed in range(2)]
    cut = saved(tmp_path, Image.fromarray(noise(64, 64)), "cut.jpg")
    cut.write_bytes(cut.read_bytes()[:-600])
    text = tmp_path / "text.png"
    text.write_text("not an image")
    floats = saved(tmp_path, Image.fromarray(np.ones((8, 8), np.float32)), "f.tif")
    paths = [cut, whole[0], text, tmp_path / "gone.png", whole[1], floats]
    result = decode(paths, ImageForm(height=8, width=8, channels=1))
    assert result.rows.tolist() == [1, 4] and sorted(result.failures) == [0, 2, 3, 5]
    assert (result.pixels[1, 0].numpy() == noise(8, 8, 1, 1)).all()
    assert result.failures[3] == "missing" and "no known range" in result.failures[5]
    assert str(tmp_path) not in result.failures[2]
    message = describe_failures(paths, result.failures)
    assert message.startswith("4 of 6 image files cannot be read: cut.jpg (") and message.endswith("and 1 more")
    assert [isinstance(each, ImageHeader) for each in read_headers(paths)] == [True, True, False, False, True, True]


def test_every_ending_is_one_that_pillow_reads():
    Image.init()
    assert set(SUFFIXES) <= set(Image.registered_extensions())
    assert is_image(Path("A.PNG")) and not is_image(Path(".hidden.png")) and not is_image(Path("a.csv"))


def test_without_pillow_one_message_says_what_to_install(tmp_path, monkeypatch):
    path = saved(tmp_path, Image.new("L", (4, 4)))
    monkeypatch.setitem(sys.modules, "PIL", None)
    for call in (lambda: read_headers([path]), lambda: decode([path], ImageForm(height=4, width=4, channels=1))):
        with pytest.raises(DataError, match=r"needs Pillow.*pip install 'evenkeel\[images\]'"):
            call()


def test_a_row_without_a_path_is_named_by_its_number():
    assert describe_failures([Path("a.png"), Path()], {1: "missing"}) == (
        "1 of 2 image files cannot be read: row 1: empty path"
    )


def test_an_open_image_is_told_and_shaped_as_its_file_is(tmp_path):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8))
    image.save(tmp_path / "a.png")
    assert header_of(image) == read_headers([tmp_path / "a.png"])[0]
    form = ImageForm(height=8, width=8, channels=4)
    assert (shaped(image, form) == decode([tmp_path / "a.png"], form).pixels[0].permute(1, 2, 0).numpy()).all()
