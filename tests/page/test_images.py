import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from evenkeel.errors import ShapeError
from evenkeel.page import Report, render
from evenkeel.page.images import COLUMNS, MOST, images_section, made_section, png


def noise(rows, channels=1, side=6):
    return np.random.default_rng(0).integers(0, 256, (rows, channels, side, side + 1), dtype=np.uint8)


def pictures(svg):
    """The pixels of every picture in a drawing, in its order."""
    found = re.findall(r'href="data:image/png;base64,([^"]+)"', svg)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(each)))) for each in found]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_another_reader_finds_every_pixel(channels):
    image = noise(1, channels)[0]
    found = np.asarray(Image.open(io.BytesIO(png(image))))
    assert (found == (image[0] if channels == 1 else image.transpose(1, 2, 0))).all()


def test_of_unusual_channels_the_first_is_shown():
    image = noise(1, 5)[0]
    assert (np.asarray(Image.open(io.BytesIO(png(image)))) == image[0]).all()


def test_the_most_confident_mistakes_come_first_and_are_framed(said):
    images = noise(5)
    section = images_section(
        images,
        ["ash", "birch", "ash", "<b>", "cedar"],
        ["ash", "ash", "birch", "cedar", "cedar"],
        surprise=[0.1, 0.6, 0.9, np.nan, 0.4],
        wrong=[False, True, True, True, False],
        confidence=[0.9, 0.6, 0.9, 0.5, 0.6],
    )
    shown = pictures(section.svg)
    assert all((found == images[row, 0]).all() for found, row in zip(shown, [2, 1, 3, 4, 0], strict=True))
    assert section.svg.count("<rect") == 3
    words = said(section.svg)
    assert words.index("birch 90") < words.index("ash 60") < words.index("is <b>")
    assert "first the mistakes (3 in all, framed)" in section.caption


def test_numbers_are_ordered_by_their_error():
    images = noise(3)
    section = images_section(images, [1.0, 2.0, 3.0], [1.25, 2.0, 9.0], surprise=[0.25, 0.0, 6.0])
    assert (pictures(section.svg)[0] == images[2, 0]).all()
    assert "9.00" in section.svg and "<rect" not in section.svg
    assert section.caption.startswith("3 of 3 test images, the largest errors first")


def test_without_mistakes_that_is_said():
    section = images_section(noise(2), ["a", "b"], ["a", "b"], surprise=[0.0, 0.0], wrong=[False, False])
    assert "none of them predicted wrongly" in section.caption


def test_no_more_than_a_page_bears():
    rows = 3 * MOST
    section = images_section(noise(rows), ["a"] * rows, ["b"] * rows, surprise=range(rows), wrong=[True] * rows)
    assert len(pictures(section.svg)) == MOST and f"{MOST} of {rows}" in section.caption
    root = ElementTree.fromstring(section.svg)
    width, height = (float(root.get(side)) for side in ("width", "height"))
    for node in root.iter("{http://www.w3.org/2000/svg}image"):
        assert float(node.get("x")) >= 0 and float(node.get("x")) + float(node.get("width")) <= width
        assert float(node.get("y")) >= 0 and float(node.get("y")) + float(node.get("height")) <= height


def test_made_images_are_shown_in_their_order():
    images = noise(COLUMNS + 2, 3)
    section = made_section(images, title="Samples", caption="Drawn at random.")
    assert (section.title, section.caption) == ("Samples", "Drawn at random.")
    found = pictures(section.svg)
    assert all((one == image.transpose(1, 2, 0)).all() for one, image in zip(found, images, strict=True))


def test_nothing_is_no_section_and_unequal_counts_are_a_mistake():
    assert images_section(noise(0), [], [], surprise=[]) is None and made_section(noise(0)) is None
    with pytest.raises(ShapeError, match=r"each image needs truth, prediction and surprise; got \[1, 2\] of them"):
        images_section(noise(2), ["a"], ["a", "b"], surprise=[0.0, 0.0])


def test_a_page_with_pictures_stays_well_formed_and_fetches_nothing():
    words = '<script> & "x"'
    section = images_section(noise(2), [words, "b"], [words, "c"], surprise=[0.0, 0.5], wrong=[False, True])
    page = render(Report(title="trees", verdict=[], extra=[section, made_section(noise(2))]))
    root = ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    addresses = [value for node in root.iter() for name, value in node.attrib.items() if name.endswith(("href", "src"))]
    assert len([each for each in addresses if each.startswith("data:image/png;base64,")]) == 4
    assert all(each.startswith(("#", "data:image/png;base64,")) for each in addresses)
    assert "<script" not in page
