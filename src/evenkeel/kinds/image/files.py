"""Decoding of image files to one tensor: each once, turned upright, brought to one size and number of channels.

grey -> RGB -> RGBA loses nothing; an image with more channels than requested is laid on white, then reduced. Sizes: the
aspect is kept, and the remaining area is filled with the mean colour of the edge (`pad`) or cut off evenly (`crop`).
Files that cannot be read are named, not fatal.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch

from evenkeel.errors import DataError
from evenkeel.shapes import Shaped, Tensor

Aspect = Literal["pad", "crop"]
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".jp2", ".avif")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
COLOURS = {1: "grey", 3: "RGB", 4: "RGBA"}
GREY, ALPHA = ("1", "L", "I", "I;16", "I;16L", "I;16B"), ("RGBA", "RGBa", "LA", "La", "PA")
SIDEWAYS, ORIENTATION = (5, 6, 7, 8), 0x0112  # of the EXIF tag: width and height change places
MOST_THREADS = 8  # decoding leaves the interpreter's lock, but the disk has one head
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """Header of an image file, read before it is decoded: height and width in pixels, upright, and channels."""

    height: int
    width: int
    channels: int


@dataclass(frozen=True, kw_only=True)
class ImageForm:
    """Size and number of channels that every image is brought to."""

    height: int
    width: int
    channels: int
    aspect: Aspect = "pad"


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Images that could be read, uint8; `rows` are their places among the files, `failures` why others failed."""

    pixels: Shaped[Tensor, "row channel height width"]
    rows: np.ndarray
    failures: dict[int, str]


def is_image(path: Path) -> bool:
    """Whether a file's name ends as those of images do; hidden files do not count.

    Example:
        >>> [is_image(Path(name)) for name in ("cat.JPG", "._cat.jpg", "cat.txt")]
        [True, False, False]
    """
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def pillow() -> Any:
    """Import Pillow's module of images.

    Raises:
        DataError: it is not installed.
    """
    try:
        from PIL import Image
    except ImportError as problem:
        raise DataError(
            "reading image files needs Pillow, which is not installed: pip install 'evenkeel[images]'; or pass arrays"
        ) from problem
    return Image


def read_headers(paths: Sequence[Path]) -> list[ImageHeader | str]:
    """Read the header of each file, or the reason why it cannot be read."""
    pillow()
    return _each(_header, paths)


def decode(paths: Sequence[Path], form: ImageForm) -> Decoded:
    """Decode all files to one form, by several threads.

    Raises:
        DataError: Pillow is not installed.
    """
    pillow()
    pixels = np.empty((len(paths), form.height, form.width, form.channels), np.uint8)

    def fill(place: int) -> str | None:
        result = _attempt(lambda: _pixels(paths[place], form), paths[place])
        if isinstance(result, str):
            return result
        pixels[place] = result
        return None

    reasons = _each(fill, range(len(paths)))
    rows = np.array([place for place, why in enumerate(reasons) if why is None], dtype=np.int64)
    kept = pixels if len(rows) == len(paths) else pixels[rows]
    failures = {place: why for place, why in enumerate(reasons) if why is not None}
    return Decoded(pixels=torch.from_numpy(kept.transpose(0, 3, 1, 2).copy()), rows=rows, failures=failures)


def describe_failures(paths: Sequence[Path], failures: dict[int, str]) -> str:
    """Describe how many files cannot be read, and the first few of them with the reason.

    Example:
        >>> describe_failures([Path("a.png"), Path("b.png")], {1: "missing"})
        '1 of 2 image files cannot be read: b.png (missing)'
    """
    named = [
        f"row {place}: empty path" if paths[place] == Path() else f"{paths[place].name} ({why})"
        for place, why in list(failures.items())[:3]
    ]
    more = f" and {len(failures) - 3} more" if len(failures) > 3 else ""
    return f"{len(failures)} of {len(paths)} image files cannot be read: {', '.join(named)}{more}"


def header_of(image: Any) -> ImageHeader:
    """Return the header of one of Pillow's images."""
    width, height = image.size
    if image.getexif().get(ORIENTATION) in SIDEWAYS:
        width, height = height, width
    return ImageHeader(height=height, width=width, channels=_channels(image))


def shaped(image: Any, form: ImageForm) -> np.ndarray:
    """Bring one of Pillow's images to a form, (height, width, channel) uint8.

    Example:
        >>> shaped(pillow().new("L", (4, 2), 7), ImageForm(height=2, width=4, channels=3)).tolist()[0][0]
        [7, 7, 7]
    """
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(_eight_bits(image))
    placed = _placed(_converted(upright, form.channels), form)
    return np.asarray(placed, dtype=np.uint8).reshape(form.height, form.width, form.channels)


def _each(call: Callable[[Any], Result], items: Sequence[Any]) -> list[Result]:
    """Call a function on every item, by several threads; the results are in order."""
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        return list(pool.map(call, items))


def _attempt(read: Callable[[], Result], path: Path) -> Result | str:
    """Read a file, or return the reason why that failed."""
    if not path.is_file():
        return "missing"
    try:
        return read()
    except Exception as problem:  # the reader of each format raises errors of its own
        return " ".join(str(problem).replace(str(path), path.name).split())[:80] or type(problem).__name__


def _header(path: Path) -> ImageHeader | str:
    def read() -> ImageHeader:
        with pillow().open(path) as image:
            return header_of(image)

    return _attempt(read, path)


def _channels(image: Any) -> int:
    """Count the channels that hold all information of an image."""
    if image.mode in ALPHA or "transparency" in image.info:
        return 4
    return 1 if image.mode in GREY else 3


def _pixels(path: Path, form: ImageForm) -> np.ndarray:
    """Decode one file to a form, (height, width, channel) uint8."""
    with pillow().open(path) as image:
        # A large JPEG can be decoded at a fraction of its size; twice the final size leaves enough to average.
        longest = 2 * max(form.height, form.width)
        image.draft(None, (longest, longest))
        return shaped(image, form)


def _eight_bits(image: Any) -> Any:
    """Convert an image to 8 bits a channel; 65535 becomes 255."""
    if image.mode == "F":
        raise ValueError("floating-point pixels have no known range")
    if image.mode != "I" and not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image).astype(np.float64) / 257
    return pillow().fromarray(values.round().clip(0, 255).astype(np.uint8))


def _converted(image: Any, channels: int) -> Any:
    """Convert to fewer or more channels; transparent parts become white where no alpha is kept."""
    if channels < 4 and _channels(image) == 4:
        image = image.convert("RGBA")
        image = pillow().alpha_composite(pillow().new("RGBA", image.size, "white"), image)
    return image if image.mode == MODES[channels] else image.convert(MODES[channels])


def _placed(image: Any, form: ImageForm) -> Any:
    """Bring the image to the size of the form, with antialiasing."""
    from PIL import ImageOps

    size = (form.width, form.height)
    if image.size == size:
        return image
    method = pillow().Resampling.BICUBIC
    if form.aspect == "crop":
        return ImageOps.fit(image, size, method)
    share = min(form.width / image.width, form.height / image.height)
    inner = tuple(min(most, max(1, round(side * share))) for side, most in zip(image.size, size, strict=True))
    small = image.resize(inner, method)
    if inner == size:
        return small
    whole = pillow().new(small.mode, size, _edge(small))
    whole.paste(small, tuple((most - side) // 2 for side, most in zip(inner, size, strict=True)))
    return whole


def _edge(image: Any) -> int | tuple[int, ...]:
    """Compute the mean colour along the edge."""
    values = np.asarray(image)
    edge = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    mean = edge.mean(axis=0).round()
    return int(mean) if mean.ndim == 0 else tuple(int(value) for value in mean)
