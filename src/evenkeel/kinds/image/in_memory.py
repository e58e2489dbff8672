"""Reading of pictures in memory, each with its own size: Pillow's images and arrays, brought to one form.

An array is (height, width) or has 1 to 4 channels on its shorter end, of bytes, or of numbers from 0 to 1.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from evenkeel.errors import DataError
from evenkeel.kinds.image.arrays import as_pixels
from evenkeel.kinds.image.files import ORIENTATION, ImageForm, header_of, pillow, shaped
from evenkeel.kinds.image.schema import ImageOptions, form_of
from evenkeel.shapes import Shaped, Tensor

PLAIN = ("1", "L", "RGB", "RGBA")  # modes whose arrays are what files of the mode are decoded to
MOST_CHANNELS = 4  # that Pillow can bring to another size


def is_picture(value: Any) -> bool:
    """Whether a value is one of Pillow's images; without Pillow nothing is."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def read_pictures(
    items: Sequence[Any], options: ImageOptions
) -> tuple[Shaped[Tensor, "row channel height width"], tuple[str, ...]]:
    """Read pictures to learn from: of one size as one array, others as files; also return notes on the changes.

    Raises:
        DataError: a picture of no known range, or of more channels than Pillow knows where sizes differ.

    Example:
        >>> read_pictures([np.zeros((8, 8), np.uint8), np.zeros((6, 8), np.uint8)], ImageOptions())[0].shape
        torch.Size([2, 1, 8, 8])
    """
    arrays = [_array(item, place) for place, item in enumerate(items)]
    if len({array.shape for array in arrays}) == 1 and all(map(_is_plain, items)):
        return as_pixels(np.stack(arrays)), ()
    images = _images(items, arrays)
    form, notes = form_of([header_of(image) for image in images], options)
    return _tensor(images, form), notes


def pictures_like(items: Sequence[Any], form: ImageForm) -> Shaped[Tensor, "row channel height width"]:
    """Bring new pictures to a known form, as bytes.

    Raises:
        DataError: as for `read_pictures`.
    """
    return _tensor(_images(items, [_array(item, place) for place, item in enumerate(items)]), form)


def _tensor(images: Sequence[Any], form: ImageForm) -> Tensor:
    pixels = np.stack([shaped(image, form) for image in images])
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))


def _is_plain(item: Any) -> bool:
    """Whether the array of a picture is its content: upright, and its numbers are not colours of a palette."""
    return not is_picture(item) or (item.mode in PLAIN and item.getexif().get(ORIENTATION) in (None, 1))


def _array(item: Any, place: int) -> np.ndarray:
    """Convert any picture to an array of numbers."""
    try:
        array = item.detach().cpu().numpy() if isinstance(item, Tensor) else np.asarray(item)
    except ValueError as problem:
        raise DataError(f"image {place} is no array: its rows differ in length") from problem
    if array.dtype.kind not in "buif":
        raise DataError(f"expected images as numbers, arrays or paths, got {type(item).__name__} in row {place}")
    return array


def _images(items: Sequence[Any], arrays: Sequence[np.ndarray]) -> list[Any]:
    """Convert all to Pillow's images; floats are taken to range from 0 to 1 where none of them is above."""
    fractions = [a for a, item in zip(arrays, items, strict=True) if a.dtype.kind == "f" and not is_picture(item)]
    top = 255.0 if all(a.size and a.max() <= 1 for a in fractions) else 1.0
    return [
        item if is_picture(item) else _image(array, top, place)
        for place, (item, array) in enumerate(zip(items, arrays, strict=True))
    ]


def _image(array: np.ndarray, top: float, place: int) -> Any:
    """Convert an array to one of Pillow's images."""
    if array.ndim not in (2, 3) or not array.size:
        raise DataError(f"expected image {place} as (height, width) or with channels, got shape {array.shape}")
    if array.ndim == 3 and array.shape[0] < array.shape[2]:
        array = array.transpose(1, 2, 0)
    channels = array.shape[2] if array.ndim == 3 else 1
    if channels > MOST_CHANNELS:
        raise DataError(
            f"images of different sizes are brought to one where they have 1 to 4 channels, image {place} has shape "
            f"{array.shape}; resize them first"
        )
    values = _bytes(array, top, place).reshape(*array.shape[:2], channels)
    return pillow().fromarray(np.ascontiguousarray(values[..., 0] if channels == 1 else values))


def _bytes(array: np.ndarray, top: float, place: int) -> np.ndarray:
    """Convert numbers to bytes; whole numbers stay, others are multiplied by `top`."""
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * 255
    values = array.astype(np.float64) * top if array.dtype.kind == "f" else array
    if np.isfinite(values).all() and values.min() >= 0 and values.max() <= 255:
        return values.round().astype(np.uint8)
    raise DataError(
        f"expected images from 0 to 255 or from 0 to 1 to bring them to one size, image {place} goes from "
        f"{array.min():g} to {array.max():g}; scale them, or resize them first"
    )
