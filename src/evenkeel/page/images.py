"""The section with pictures: test images with truth and prediction, the most confident mistakes first; or made ones.

Each picture is a PNG inside the page, so that the page needs nothing else.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np

from evenkeel.errors import ShapeError
from evenkeel.page.sections import Section
from evenkeel.svg import BAD, INK, MUTED, NumberLike, element, number, percent, picture, shorten, words

MOST, COLUMNS = 36, 9  # pictures, and how many stand side by side
SIDE, GAP, LINE = 72, 10, 15  # pixels: of a picture, between two, of a line of text below it
PNG_TYPES = {1: 0, 3: 2, 4: 6}  # channels -> what PNG calls them
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def images_section(
    images: np.ndarray,
    truth: Sequence[object],
    prediction: Sequence[object],
    *,
    surprise: Sequence[NumberLike],
    wrong: Sequence[bool] | None = None,
    confidence: Sequence[NumberLike] | None = None,
) -> Section | None:
    """Test images with what they are and what was predicted; None of no images.

    Args:
        images: (row, channel, height, width) uint8.
        truth: class, labels or number of each, as it is to be written.
        prediction: the same of the network.
        surprise: what orders them, the largest first: of a mistake the confidence in it, of a number the error.
        wrong: which predictions are mistakes; these are marked. None for numbers.
        confidence: probability of each prediction, where there is one.
    """
    if not len(images):
        return None
    sizes = {len(truth), len(prediction), len(surprise), len(images)}
    if len(sizes) > 1:
        raise ShapeError(f"each image needs truth, prediction and surprise; got {sorted(sizes)} of them")
    order = _order(np.asarray(surprise, float), wrong)
    cells = []
    for place, row in enumerate(order):
        bad = wrong is not None and bool(wrong[row])
        sure = "" if confidence is None else f" {percent(confidence[row])}"
        lines = [f"{_word(prediction[row])}{sure}", f"is {_word(truth[row])}"]
        cells.append(_cell(place, images[row], lines, bad))
    drawn = _grid(cells, texts=2, title="Test images with prediction and truth")
    return Section(title="Test images", svg=drawn, caption=_caption(wrong, len(order), len(images)))


def made_section(images: np.ndarray, *, title: str = "New images", caption: str = "") -> Section | None:
    """Images that a network made, (row, channel, height, width) uint8, in their order; None of none."""
    if not len(images):
        return None
    cells = [_cell(place, image, (), False) for place, image in enumerate(images[:MOST])]
    return Section(title=title, svg=_grid(cells, texts=0, title=title), caption=caption)


def png(image: np.ndarray) -> bytes:
    r"""A PNG file of (channel, height, width) uint8; of other than 1, 3 or 4 channels the first is shown.

    Example:
        >>> png(np.zeros((1, 2, 2), np.uint8))[:4]
        b'\x89PNG'
    """
    shown = image if len(image) in PNG_TYPES else image[:1]
    channels, height, width = shown.shape
    rows = np.ascontiguousarray(shown.transpose(1, 2, 0)).reshape(height, -1)
    # Each line begins with the number of its filter: 0, none.
    lines = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, PNG_TYPES[channels], 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(name, content) for name, content in parts)


def _chunk(name: bytes, content: bytes) -> bytes:
    """One piece of a PNG file: length, name, content, check sum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _order(surprise: np.ndarray, wrong: Sequence[bool] | None) -> np.ndarray:
    """Mistakes first, the most surprising one at the front; what is not finite comes last."""
    bad = np.zeros(len(surprise)) if wrong is None else np.asarray(wrong, float)
    return np.lexsort((-np.nan_to_num(surprise, nan=-np.inf, posinf=1e300), -bad))[:MOST]


def _word(value: object) -> str:
    """A class as it is called, a number as it is read."""
    return number(float(value)) if isinstance(value, (float, np.floating)) else str(value)


def _cell(place: int, image: np.ndarray, lines: Sequence[str], bad: bool) -> str:
    """One picture with its lines of text."""
    row, column = divmod(place, COLUMNS)
    texts = len(lines)
    x, y = column * (SIDE + GAP) + GAP / 2, row * (SIDE + GAP + texts * LINE) + GAP / 2
    address = f"data:image/png;base64,{base64.b64encode(png(image)).decode()}"
    # Enlarged pixels stay squares: what the network sees is not smooth.
    style = "image-rendering:pixelated" if max(image.shape[1:]) < SIDE else None
    drawn = element("image", x=x, y=y, width=SIDE, height=SIDE, href=address, style=style)
    if bad:
        drawn += element("rect", x=x - 1, y=y - 1, width=SIDE + 2, height=SIDE + 2, stroke=BAD, stroke_width=2)
    for index, text in enumerate(lines):
        fill = BAD if bad and index == 0 else INK if index == 0 else MUTED
        short = shorten(text, 11, SIDE + GAP - 2)
        drawn += words(short, x, y + SIDE + (index + 1) * LINE - 2, fill=fill, size=11, hover=text)
    return drawn


def _grid(cells: Sequence[str], *, texts: int, title: str) -> str:
    """All cells in rows."""
    columns, rows = min(COLUMNS, len(cells)), -(-len(cells) // COLUMNS)
    width, height = columns * (SIDE + GAP), rows * (SIDE + GAP + texts * LINE)
    return picture("".join(cells), width=width, height=height, title=title)


def _caption(wrong: Sequence[bool] | None, shown: int, rows: int) -> str:
    """What is to be seen."""
    if wrong is None:
        return f"{shown} of {rows} test images, the largest errors first: the prediction, and below it the truth."
    mistakes = int(np.sum(np.asarray(wrong, bool)))
    if not mistakes:
        return f"{shown} of {rows} test images, none of them predicted wrongly; the least certain first."
    return (
        f"{shown} of {rows} test images, first the mistakes ({mistakes} in all, framed), the most confident ones in "
        "front: the prediction with its probability, and below it the truth."
    )
