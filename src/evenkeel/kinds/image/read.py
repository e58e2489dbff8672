"""Images: files in folders or tables, arrays, IDX files; all of them one tensor (row, channel, height, width).

    listing or array -> size and channels -> decode (once, kept on disk) -> pixels -> mean and spread of training rows

Bytes stay bytes (uint8) until a batch reaches the network. Size and channels follow from the headers of all
files, before one is decoded; every statistic of the pixels is that of the training rows.
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
from evenkeel.kinds.image.files import MODES, Aspect, ImageForm, ImageHeader, decode, describe_failures, read_headers
from evenkeel.kinds.image.idx import is_idx, labels_expected
from evenkeel.kinds.image.in_memory import pictures_like, read_pictures
from evenkeel.kinds.image.listing import CLASS, Classes, Listing, holds_images, list_images
from evenkeel.kinds.image.schema import ImageOptions, ImageSchema, form_of
from evenkeel.kinds.image.sources import ImageSource, lists_images, source_of
from evenkeel.shapes import Shaped, Tensor

FAR = 1.0  # times the range of training by which new numbers may exceed it


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images as read: pixels and other columns, row by row; `rows` of `height` are those that could be read.

    `class_column` names the column of classes, which `folders` or IDX files define; `parts` are words for all original
    rows, where folders define the split. Of the `notes`, `lost` are those on images that were left out. `unlabelled`
    says which answers are missing, where that is known; `files` are the paths, relative to their folder if there is
    one.
    """

    pixels: Shaped[Tensor, "row channel height width"]
    frame: pl.DataFrame
    rows: np.ndarray
    height: int
    source: str
    aspect: Aspect = "pad"
    images: str | None = None
    files: tuple[str, ...] = ()
    class_column: str | None = None
    folders: bool = False
    parts: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    unlabelled: str = ""


def recognises_images(data: Any) -> bool:
    """Whether data are images: class folders, tables of paths, IDX files, bytes or 4 axes."""
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
    """Read images of any source, with the columns that come with them.

    Raises:
        DataError: no image can be read; the message says what came.
    """
    source = source_of(data)
    if source.form == "array":
        return _in_memory(source, as_pixels(source.images), target, data)
    if source.form == "pictures":
        pixels, notes = read_pictures(source.images, options)
        return replace(_in_memory(source, pixels, target, data), notes=notes, aspect=options.aspect)
    listing = _listing(source, options.images, target, classes)
    headers = read_headers(listing.paths)
    known = [header for header in headers if isinstance(header, ImageHeader)]
    if not known:
        failures = describe_failures(listing.paths, {i: str(why) for i, why in enumerate(headers)})
        raise DataError(f"{failures}; nothing is left to learn from")
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
    """Read new images in the form of training, with the columns that come with them.

    Args:
        schema: of training.
        new: any images, as for training.
        target: the name of the answers.
        classes: whether images must have one of the folders that are classes.
        unreadable: whether files that cannot be read are an error, or are left out.

    Raises:
        DataError: images of another size as an array, of another range, files that cannot be read, or no image is left.
    """
    source = source_of(new)
    if source.form == "array":
        return _in_memory(source, _as_trained(schema, as_pixels(source.images)), target, new)
    if source.form == "pictures":
        resized = schema.values == "bytes" and schema.channels in MODES
        pixels = pictures_like(source.images, schema.form) if resized else as_pixels(_alike(source.images))
        return _in_memory(source, _as_trained(schema, pixels), target, new)
    listing = _listing(source, schema.images, target, classes)
    if unreadable == "leave out":
        images = _decoded(listing, schema.form, (), None, _source(new))
        return replace(images, pixels=_as_trained(schema, images.pixels))
    decoded = decode(listing.paths, schema.form)
    if decoded.failures:
        failures = describe_failures(listing.paths, decoded.failures)
        raise DataError(f"{failures}; every image must give a prediction, so remove or mend these")
    return _listed(listing, _source(new), decoded.rows, _as_trained(schema, decoded.pixels))


def _listing(source: ImageSource, column: str | None, target: str | Sequence[str] | None, classes: Classes) -> Listing:
    """List the files, with the answers beside them as columns."""
    name = target if isinstance(target, str) else None
    listing = list_images(source.images, column=column, target=name, classes=classes)
    if source.answers is None:
        return listing
    return replace(listing, frame=_answers(source.answers, len(listing.paths), target, None)[0], class_column=None)


def _alike(pictures: Sequence[Any]) -> np.ndarray:
    """Stack pictures of one size to one array."""
    arrays = [each.detach().cpu().numpy() if isinstance(each, Tensor) else np.asarray(each) for each in pictures]
    sizes = sorted({array.shape for array in arrays})
    if len(sizes) > 1:
        raise DataError(
            f"expected images of the one size that training saw, got sizes such as {sizes[:3]}; resize them first"
        )
    return np.stack(arrays)


def _as_trained(schema: ImageSchema, pixels: Tensor) -> Tensor:
    """Check that size, channels and range are those of training, and convert to its type."""
    wanted = (schema.channels, schema.height, schema.width)
    if tuple(pixels.shape[1:]) != wanted:
        raise DataError(
            f"training saw images of {schema.height} x {schema.width} pixels with {schema.channels} channel(s), got "
            f"{pixels.shape[2]} x {pixels.shape[3]} with {pixels.shape[1]}; resize the array, or give paths of files"
        )
    if schema.values == "bytes":
        as_bytes = whole_bytes(pixels)
        if as_bytes is None:
            ends = "{:g} to {:g}".format(*(float(end) for end in pixels.aminmax()))
            raise DataError(f"training saw whole numbers 0..255, got numbers from {ends}; try (X * 255).round()")
        return as_bytes
    low, high = (float(end) for end in pixels.aminmax())
    room = FAR * (schema.high - schema.low)
    if low < schema.low - room or high > schema.high + room:
        raise DataError(
            f"training saw pixels from {schema.low:g} to {schema.high:g}, these go from {low:g} to {high:g}; "
            "scale them as those of training"
        )
    return pixels.float()


def _in_memory(source: ImageSource, pixels: Tensor, target: str | Sequence[str] | None, data: Any) -> Images:
    """Combine arrays, pictures or IDX files with the answers beside them."""
    rows = np.arange(len(pixels))
    frame, class_column = _answers(source.answers, len(pixels), target, None if source.idx is None else CLASS)
    missing = source.answers is None and source.idx is not None
    unlabelled = f"no labels lie beside {source.idx}; expected {labels_expected(source.idx)}" if missing else ""  # type: ignore[arg-type]
    return Images(
        pixels=pixels,
        frame=frame,
        rows=rows,
        height=len(rows),
        source=_source(data),
        class_column=class_column,
        unlabelled=unlabelled,
    )


def _answers(
    answers: Any | None, rows: int, target: str | Sequence[str] | None, class_column: str | None
) -> tuple[pl.DataFrame, str | None]:
    """Convert answers to columns; also return the column of classes where the files define them."""
    if answers is None:
        return pl.DataFrame({"row": np.arange(rows)}), None
    name = target if target is not None else class_column
    names = None if name is None else (name,) if isinstance(name, str) else tuple(name)
    frame = as_frame((pl.DataFrame({"row": np.arange(rows)}), answers), names).drop("row")
    return frame, frame.columns[0] if class_column is not None and frame.width == 1 else None


def _decoded(listing: Listing, form: ImageForm, notes: tuple[str, ...], folder: Path | None, source: str) -> Images:
    """Decode the files that can be read; the others are named in the notes."""
    decoded = cached(listing.paths, form, folder, decode)
    failures = describe_failures(listing.paths, decoded.failures)
    if not len(decoded.rows):
        raise DataError(f"{failures}; nothing is left to learn from")
    lost = (*listing.notes, *((f"{failures}; they are left out.",) if decoded.failures else ()))
    lost += _lost_classes(listing, decoded.rows)
    images = _listed(listing, source, decoded.rows, decoded.pixels)
    return replace(images, aspect=form.aspect, notes=(*notes, *lost), lost=lost)


def _lost_classes(listing: Listing, rows: np.ndarray) -> tuple[str, ...]:
    """Return a sentence on the classes of which no image is left."""
    if listing.class_column is None:
        return ()
    column = listing.frame[listing.class_column]
    gone = sorted(set(column.to_list()) - set(column[rows].to_list()))
    return (f"No image of class {', '.join(map(repr, gone[:4]))} can be read.",) if gone else ()


def _listed(listing: Listing, source: str, rows: np.ndarray, pixels: Tensor) -> Images:
    """Combine the pixels of files with their listing."""
    return Images(
        pixels=pixels,
        frame=listing.frame[rows],
        rows=rows,
        height=len(listing.paths),
        source=source,
        files=tuple(listing.names[row] for row in rows),
        images=None if listing.column == "file" else listing.column,
        class_column=listing.class_column,
        folders=listing.class_column is not None,
        parts=listing.parts,
    )


def _folder(options: ImageOptions) -> Path | None:
    """Choose the folder in which decoded images are kept."""
    if options.cache == "none":
        return None
    return user_folder() if options.cache == "auto" else Path(options.cache).expanduser()


def _source(data: Any) -> str:
    return str(data) if isinstance(data, (str, Path)) else f"a {type(data).__name__}"
