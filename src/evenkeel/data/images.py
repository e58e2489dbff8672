"""Images: files in folders or tables, arrays, IDX files; all of them one tensor (row, channel, height, width).

    listing or array -> size and channels -> decode (once, kept on disk) -> pixels -> mean and spread of training rows

Bytes stay bytes (uint8) until a batch reaches the network. Size and channels follow from what all files say of
themselves before one is decoded; every statistic of the pixels is that of the training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from evenkeel.data.arrays import as_frame
from evenkeel.data.idx import images_in, is_idx, labels_beside, read_idx
from evenkeel.data.image_arrays import as_pixels, looks_like_images, whole_bytes
from evenkeel.data.image_cache import cached, user_folder
from evenkeel.data.image_files import Aspect, Form, Header, decode, describe_failures, read_headers
from evenkeel.data.image_listing import CLASS, Listing, holds_images, list_images
from evenkeel.data.image_schema import ImageOptions, ImageSchema, form_of
from evenkeel.errors import DataError
from evenkeel.shapes import Shaped, Tensor

FAR = 1.0  # times the range of training by which new numbers may lie outside of it


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images as read: pixels and other columns, row by row; `rows` of `height` are those that could be read."""

    pixels: Shaped[Tensor, "row channel height width"]
    frame: pl.DataFrame
    rows: np.ndarray
    height: int
    source: str
    aspect: Aspect = "pad"
    images: str | None = None
    told: str | None = None
    notes: tuple[str, ...] = ()


def recognises_images(data: Any) -> bool:
    """Whether data of no stated kind are images: class folders, tables of paths, IDX files, bytes or 4 axes."""
    if isinstance(data, tuple):
        return len(data) == 2 and looks_like_images(data[0])
    if isinstance(data, (str, Path)):
        path = Path(data).expanduser()
        if str(data).startswith("sample:") or not path.exists():
            return False
        if is_idx(path) or (path.is_dir() and any(is_idx(each) for each in path.iterdir())):
            return True
    return looks_like_images(data) or holds_images(data)


def read_images(data: Any, options: ImageOptions, target: str | Sequence[str] | None = None) -> Images:
    """Any images, with whatever columns come with them.

    Raises:
        DataError: none can be read; the message says what came.
    """
    array, answers = _arrays(data)
    if array is not None:
        pixels = as_pixels(array)
        frame, told = _answers(answers, len(pixels), target, CLASS if isinstance(data, (str, Path)) else None)
        return Images(
            pixels=pixels, frame=frame, rows=np.arange(len(pixels)), height=len(pixels), source=_source(data), told=told
        )
    name = target if isinstance(target, str) else None
    listing = list_images(data, column=options.images, target=name)
    headers = read_headers(listing.paths)
    known = [header for header in headers if isinstance(header, Header)]
    if not known:
        told = describe_failures(listing.paths, {i: str(why) for i, why in enumerate(headers)})
        raise DataError(f"{told}; nothing is left to learn from")
    form, notes = form_of(known, options)
    return _decoded(listing, form, notes, _folder(options), _source(data))


def encode_images(schema: ImageSchema, new: Any) -> Shaped[Tensor, "row channel height width"]:
    """New images in the form of training; each row gives one.

    Raises:
        DataError: images of another size as an array, of another range, or files that cannot be read.
    """
    return images_like(schema, new).pixels


def images_like(schema: ImageSchema, new: Any, target: str | Sequence[str] | None = None) -> Images:
    """New images in the form of training, with the columns that come with them."""
    array, answers = _arrays(new)
    if array is not None:
        pixels = _as_trained(schema, as_pixels(array))
        told = CLASS if isinstance(new, (str, Path)) else None
        frame, told = _answers(answers, len(pixels), target, told)
        rows = np.arange(len(pixels))
        return Images(pixels=pixels, frame=frame, rows=rows, height=len(rows), source=_source(new), told=told)
    named = schema.images
    listing = list_images(new, column=named, target=target if isinstance(target, str) else None)
    found = decode(listing.paths, schema.form)
    if found.failures:
        told = describe_failures(listing.paths, found.failures)
        raise DataError(f"{told}; every image must give a prediction, so remove or mend these")
    pixels = _as_trained(schema, found.pixels)
    return Images(
        pixels=pixels, frame=listing.frame, rows=found.rows, height=len(pixels), source=_source(new), told=listing.told
    )


def _as_trained(schema: ImageSchema, pixels: Tensor) -> Tensor:
    """The same where size, channels and range are those of training."""
    wanted = (schema.channels, schema.height, schema.width)
    if tuple(pixels.shape[1:]) != wanted:
        raise DataError(
            f"training saw images of {schema.height} x {schema.width} pixels with {schema.channels} channel(s), got "
            f"{pixels.shape[2]} x {pixels.shape[3]} with {pixels.shape[1]}; resize the array, or give paths of files"
        )
    if schema.values == "bytes":
        found = whole_bytes(pixels)
        if found is None:
            ends = "{:g} to {:g}".format(*(float(end) for end in pixels.aminmax()))
            raise DataError(f"training saw whole numbers 0..255, got numbers from {ends}; try (X * 255).round()")
        return found
    low, high = (float(end) for end in pixels.aminmax())
    room = FAR * (schema.high - schema.low)
    if low < schema.low - room or high > schema.high + room:
        raise DataError(
            f"training saw pixels from {schema.low:g} to {schema.high:g}, these go from {low:g} to {high:g}; "
            "scale them as those of training"
        )
    return pixels.float()


def _arrays(data: Any) -> tuple[Any | None, Any | None]:
    """Images and answers where they are arrays or IDX files; two Nones where they are files to be decoded."""
    if isinstance(data, tuple) and len(data) == 2 and not isinstance(data[0], (str, Path)):
        return data
    if isinstance(data, (str, Path)):
        path = Path(data).expanduser()
        found = images_in(path) if path.is_dir() else path if is_idx(path) else None
        if found is None:
            return None, None
        beside = labels_beside(found)
        return read_idx(found), None if beside is None else read_idx(beside)
    return (data, None) if isinstance(data, (np.ndarray, Tensor)) else (None, None)


def _answers(
    answers: Any | None, rows: int, target: str | Sequence[str] | None, told: str | None
) -> tuple[pl.DataFrame, str | None]:
    """Answers as columns, and the name of that of classes where the files tell them."""
    if answers is None:
        return pl.DataFrame({"row": np.arange(rows)}), None
    name = target if target is not None else told
    names = None if name is None else (name,) if isinstance(name, str) else tuple(name)
    frame = as_frame((pl.DataFrame({"row": np.arange(rows)}), answers), names).drop("row")
    return frame, frame.columns[0] if told is not None and frame.width == 1 else None


def _decoded(listing: Listing, form: Form, notes: tuple[str, ...], folder: Path | None, source: str) -> Images:
    """The files that can be read; the others are named."""
    found = cached(listing.paths, form, folder, decode)
    if not len(found.rows):
        raise DataError(f"{describe_failures(listing.paths, found.failures)}; nothing is left to learn from")
    if found.failures:
        notes = (*notes, f"{describe_failures(listing.paths, found.failures)}; they are left out.")
    return Images(
        pixels=found.pixels,
        frame=listing.frame[found.rows],
        rows=found.rows,
        height=len(listing.paths),
        source=source,
        aspect=form.aspect,
        images=None if listing.column == "file" else listing.column,
        told=listing.told,
        notes=notes,
    )


def _folder(options: ImageOptions) -> Path | None:
    """Where decoded images are kept."""
    if options.cache == "none":
        return None
    return user_folder() if options.cache == "auto" else Path(options.cache).expanduser()


def _source(data: Any) -> str:
    return str(data) if isinstance(data, (str, Path)) else f"a {type(data).__name__}"
