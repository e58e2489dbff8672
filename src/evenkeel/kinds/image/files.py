"""Image files as one tensor: every file decoded once, turned upright, brought to one size and one number of channels.

grey -> RGB -> RGBA loses nothing; what has more channels than wanted is laid on white, then reduced. Sizes: the aspect
is kept, and what is left over is filled with the mean colour of the edge (`pad`) or cut off evenly (`crop`). Files that
cannot be read are named, not fatal.
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
class Header:
    """What a file says of itself before it is decoded: height and width in pixels, upright, and channels."""

    height: int
    width: int
    channels: int


@dataclass(frozen=True, kw_only=True)
class Form:
    """What every image is brought to."""

    height: int
    width: int
    channels: int
    aspect: Aspect = "pad"


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """The images that could be read, uint8; `rows` are their places among all files, `failures` tell of the others."""

    pixels: Shaped[Tensor, "row channel height width"]
    rows: np.ndarray
    failures: dict[int, str]


def is_image(path: Path) -> bool:
    """Whether a file's name ends as those of images do; hidden files are none.

    Example:
        >>> [is_image(Path(name)) for name in ("cat.JPG", "._cat.jpg", "cat.txt")]
        [True, False, False]
    """
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def pillow() -> Any:
    """Pillow's module of images.

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


def read_headers(paths: Sequence[Path]) -> list[Header | str]:
    """What each file says of itself, or why it cannot be read."""
    pillow()
    return _each(_header, paths)


def decode(paths: Sequence[Path], form: Form) -> Decoded:
    """All files in one form, by several threads.

    Raises:
        DataError: Pillow is not installed.
    """
    pillow()
    pixels = np.empty((len(paths), form.height, form.width, form.channels), np.uint8)

    def fill(place: int) -> str | None:
        found = _attempt(lambda: _pixels(paths[place], form), paths[place])
        if isinstance(found, str):
            return found
        pixels[place] = found
        return None

    told = _each(fill, range(len(paths)))
    rows = np.array([place for place, why in enumerate(told) if why is None], dtype=np.int64)
    kept = pixels if len(rows) == len(paths) else pixels[rows]
    failures = {place: why for place, why in enumerate(told) if why is not None}
    return Decoded(pixels=torch.from_numpy(kept.transpose(0, 3, 1, 2).copy()), rows=rows, failures=failures)


def describe_failures(paths: Sequence[Path], failures: dict[int, str]) -> str:
    """How many files cannot be read, and the first few of them with the reason.

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


def header_of(image: Any) -> Header:
    """What one of Pillow's images says of itself."""
    width, height = image.size
    if image.getexif().get(ORIENTATION) in SIDEWAYS:
        width, height = height, width
    return Header(height=height, width=width, channels=_channels(image))


def shaped(image: Any, form: Form) -> np.ndarray:
    """One of Pillow's images in the form asked for, (height, width, channel) uint8.

    Example:
        >>> shaped(pillow().new("L", (4, 2), 7), Form(height=2, width=4, channels=3)).tolist()[0][0]
        [7, 7, 7]
    """
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(_eight_bits(image))
    placed = _placed(_converted(upright, form.channels), form)
    return np.asarray(placed, dtype=np.uint8).reshape(form.height, form.width, form.channels)


def _each(call: Callable[[Any], Result], items: Sequence[Any]) -> list[Result]:
    """Of every item, in order."""
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        return list(pool.map(call, items))


def _attempt(read: Callable[[], Result], path: Path) -> Result | str:
    """What was read, or why it could not be."""
    if not path.is_file():
        return "missing"
    try:
        return read()
    except Exception as problem:  # the reader of each format raises errors of its own
        return " ".join(str(problem).replace(str(path), path.name).split())[:80] or type(problem).__name__


def _header(path: Path) -> Header | str:
    def read() -> Header:
        with pillow().open(path) as image:
            return header_of(image)

    return _attempt(read, path)


def _channels(image: Any) -> int:
    """Channels that hold all a file has."""
    if image.mode in ALPHA or "transparency" in image.info:
        return 4
    return 1 if image.mode in GREY else 3


def _pixels(path: Path, form: Form) -> np.ndarray:
    """One file in the form asked for, (height, width, channel) uint8."""
    with pillow().open(path) as image:
        # A large JPEG can be decoded at a fraction of its size; twice what is wanted leaves enough to average.
        longest = 2 * max(form.height, form.width)
        image.draft(None, (longest, longest))
        return shaped(image, form)


def _eight_bits(image: Any) -> Any:
    """The same with 8 bits a channel; 65535 becomes 255."""
    if image.mode == "F":
        raise ValueError("floating-point pixels have no known range")
    if image.mode != "I" and not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image).astype(np.float64) / 257
    return pillow().fromarray(values.round().clip(0, 255).astype(np.uint8))


def _converted(image: Any, channels: int) -> Any:
    """Fewer or more channels; transparent parts become white where no alpha is kept."""
    if channels < 4 and _channels(image) == 4:
        image = image.convert("RGBA")
        image = pillow().alpha_composite(pillow().new("RGBA", image.size, "white"), image)
    return image if image.mode == MODES[channels] else image.convert(MODES[channels])


def _placed(image: Any, form: Form) -> Any:
    """The image at the size asked for, with antialiasing."""
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
    """The mean colour along the edge."""
    values = np.asarray(image)
    edge = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    mean = edge.mean(axis=0).round()
    return int(mean) if mean.ndim == 0 else tuple(int(value) for value in mean)
