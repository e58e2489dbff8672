"""Images: files in folders or tables, arrays, IDX files; all of them one tensor (row, channel, height, width).

    listing or array -> size and channels -> decode (once, kept on disk) -> pixels -> mean and spread of training rows

Bytes stay bytes (uint8) until a batch reaches the network. Size and channels follow from what all files say of
themselves before one is decoded; every statistic of the pixels is that of the training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from evenkeel.data.arrays import as_frame
from evenkeel.errors import DataError
from evenkeel.kinds.image.arrays import as_pixels, looks_like_images, whole_bytes
from evenkeel.kinds.image.cache import cached, user_folder
from evenkeel.kinds.image.files import MODES, Aspect, Form, Header, decode, describe_failures, read_headers
from evenkeel.kinds.image.idx import is_idx, labels_expected
from evenkeel.kinds.image.in_memory import pictures_like, read_pictures
from evenkeel.kinds.image.listing import CLASS, Classes, Listing, holds_images, list_images
from evenkeel.kinds.image.schema import ImageOptions, ImageSchema, form_of
from evenkeel.kinds.image.sources import Given, given_images, lists_images
from evenkeel.shapes import Shaped, Tensor

FAR = 1.0  # times the range of training by which new numbers may lie outside of it


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images as read: pixels and other columns, row by row; `rows` of `height` are those that could be read.

    `told` names the column of classes, which `folders` or IDX files tell; `parts` are words for all rows as they came,
    where folders tell the split. Of the `notes`, `lost` are those on images that were left out. `unlabelled` says what
    answers are missing, where that is known; `files` are the paths, as given or relative to their folder.
    """

    pixels: Shaped[Tensor, "row channel height width"]
    frame: pl.DataFrame
    rows: np.ndarray
    height: int
    source: str
    aspect: Aspect = "pad"
    images: str | None = None
    files: tuple[str, ...] = ()
    told: str | None = None
    folders: bool = False
    parts: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    unlabelled: str = ""


def recognises_images(data: Any) -> bool:
    """Whether data of no stated kind are images: class folders, tables of paths, IDX files, bytes or 4 axes."""
    if isinstance(data, tuple):
        return len(data) == 2 and (looks_like_images(data[0]) or lists_images(data[0]))
    if isinstance(data, (str, Path)):
        path = Path(data).expanduser()
        if str(data).startswith("sample:") or not path.exists():
            return False
        if is_idx(path) or (path.is_dir() and any(is_idx(each) for each in path.iterdir())):
            return True
    return looks_like_images(data) or holds_images(data) or lists_images(data)


def read_images(
    data: Any, options: ImageOptions, target: str | Sequence[str] | None = None, classes: Classes = "folders"
) -> Images:
    """Any images, with whatever columns come with them.

    Raises:
        DataError: none can be read; the message says what came.
    """
    given = given_images(data)
    if given.form == "array":
        return _in_memory(given, as_pixels(given.images), target, data)
    if given.form == "pictures":
        pixels, notes = read_pictures(given.images, options)
        return replace(_in_memory(given, pixels, target, data), notes=notes, aspect=options.aspect)
    listing = _listing(given, options.images, target, classes)
    headers = read_headers(listing.paths)
    known = [header for header in headers if isinstance(header, Header)]
    if not known:
        told = describe_failures(listing.paths, {i: str(why) for i, why in enumerate(headers)})
        raise DataError(f"{told}; nothing is left to learn from")
    form, notes = form_of(known, options)
    return _decoded(listing, form, notes, _folder(options), _source(data))


def images_like(
    schema: ImageSchema,
    new: Any,
    target: str | Sequence[str] | None = None,
    *,
    classes: Classes = "none",
    unreadable: Literal["refuse", "leave out"] = "refuse",
) -> Images:
    """New images in the form of training, with the columns that come with them.

    Args:
        schema: of training.
        new: any images, as for training.
        target: what the answers are called.
        classes: whether images must have one of the folders that are classes.
        unreadable: what becomes of files that cannot be read.

    Raises:
        DataError: images of another size as an array, of another range, files that cannot be read, or none is left.
    """
    given = given_images(new)
    if given.form == "array":
        return _in_memory(given, _as_trained(schema, as_pixels(given.images)), target, new)
    if given.form == "pictures":
        resized = schema.values == "bytes" and schema.channels in MODES
        found = pictures_like(given.images, schema.form) if resized else as_pixels(_alike(given.images))
        return _in_memory(given, _as_trained(schema, found), target, new)
    listing = _listing(given, schema.images, target, classes)
    if unreadable == "leave out":
        images = _decoded(listing, schema.form, (), None, _source(new))
        return replace(images, pixels=_as_trained(schema, images.pixels))
    decoded = decode(listing.paths, schema.form)
    if decoded.failures:
        told = describe_failures(listing.paths, decoded.failures)
        raise DataError(f"{told}; every image must give a prediction, so remove or mend these")
    return _listed(listing, _source(new), decoded.rows, _as_trained(schema, decoded.pixels))


def _listing(given: Given, column: str | None, target: str | Sequence[str] | None, classes: Classes) -> Listing:
    """The files, with the answers that came beside them as columns."""
    name = target if isinstance(target, str) else None
    listing = list_images(given.images, column=column, target=name, classes=classes)
    if given.answers is None:
        return listing
    return replace(listing, frame=_answers(given.answers, len(listing.paths), target, None)[0], told=None)


def _alike(pictures: Sequence[Any]) -> np.ndarray:
    """Pictures of one size as one array."""
    arrays = [each.detach().cpu().numpy() if isinstance(each, Tensor) else np.asarray(each) for each in pictures]
    sizes = sorted({array.shape for array in arrays})
    if len(sizes) > 1:
        raise DataError(
            f"expected images of the one size that training saw, got sizes such as {sizes[:3]}; resize them first"
        )
    return np.stack(arrays)


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


def _in_memory(given: Given, pixels: Tensor, target: str | Sequence[str] | None, data: Any) -> Images:
    """Arrays, pictures and IDX files with the answers that came beside them."""
    rows = np.arange(len(pixels))
    frame, told = _answers(given.answers, len(pixels), target, None if given.idx is None else CLASS)
    missing = given.answers is None and given.idx is not None
    unlabelled = f"no labels lie beside {given.idx}; expected {labels_expected(given.idx)}" if missing else ""  # type: ignore[arg-type]
    return Images(
        pixels=pixels,
        frame=frame,
        rows=rows,
        height=len(rows),
        source=_source(data),
        told=told,
        unlabelled=unlabelled,
    )


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
    told = describe_failures(listing.paths, found.failures)
    if not len(found.rows):
        raise DataError(f"{told}; nothing is left to learn from")
    lost = (*listing.notes, *((f"{told}; they are left out.",) if found.failures else ()))
    lost += _lost_classes(listing, found.rows)
    images = _listed(listing, source, found.rows, found.pixels)
    return replace(images, aspect=form.aspect, notes=(*notes, *lost), lost=lost)


def _lost_classes(listing: Listing, rows: np.ndarray) -> tuple[str, ...]:
    """A sentence on the classes of which no image is left."""
    if listing.told is None:
        return ()
    column = listing.frame[listing.told]
    gone = sorted(set(column.to_list()) - set(column[rows].to_list()))
    return (f"No image of class {', '.join(map(repr, gone[:4]))} can be read.",) if gone else ()


def _listed(listing: Listing, source: str, rows: np.ndarray, pixels: Tensor) -> Images:
    """The images of files, with what the listing knows of them."""
    return Images(
        pixels=pixels,
        frame=listing.frame[rows],
        rows=rows,
        height=len(listing.paths),
        source=source,
        files=tuple(listing.names[row] for row in rows),
        images=None if listing.column == "file" else listing.column,
        told=listing.told,
        folders=listing.told is not None,
        parts=listing.parts,
    )


def _folder(options: ImageOptions) -> Path | None:
    """Where decoded images are kept."""
    if options.cache == "none":
        return None
    return user_folder() if options.cache == "auto" else Path(options.cache).expanduser()


def _source(data: Any) -> str:
    return str(data) if isinstance(data, (str, Path)) else f"a {type(data).__name__}"
