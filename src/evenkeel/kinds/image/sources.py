"""Sources of images: an array, pictures in memory, or files, with the answers beside them.

X · (X, y) · a path · [path, ...] · ([path, ...], y) · Pillow's images, one or a list · a list of arrays · IDX files
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from evenkeel.errors import DataError
from evenkeel.kinds.image.files import is_image
from evenkeel.kinds.image.idx import images_in, is_idx, labels_beside, read_idx
from evenkeel.kinds.image.in_memory import is_picture
from evenkeel.shapes import Tensor


@dataclass(frozen=True, kw_only=True)
class ImageSource:
    """Images and answers, and how they must be read; `idx` is the IDX file that they came from."""

    form: Literal["array", "pictures", "files"]
    images: Any
    answers: Any | None = None
    idx: Path | None = None


def source_of(data: Any) -> ImageSource:
    """Separate images from answers and choose how they are read.

    Raises:
        DataError: an empty list, or an IDX file that cannot be read.

    Example:
        >>> source_of((["a.png", "b.png"], [0, 1])).form, source_of([np.zeros((4, 4)), np.zeros((5, 5))]).form
        ('files', 'pictures')
    """
    if isinstance(data, tuple) and len(data) == 2 and not _all_alike(data):
        images, answers = data
    else:
        images, answers = data, None
    if isinstance(images, (str, Path)):
        idx = _idx_of(Path(images).expanduser())
        if idx is None:
            return ImageSource(form="files", images=images, answers=answers)
        beside = labels_beside(idx) if answers is None else None
        answers = answers if beside is None else read_idx(beside)
        return ImageSource(form="array", images=read_idx(idx), answers=answers, idx=idx)
    named = path_list(images)
    if named is not None:
        return ImageSource(form="files", images=named, answers=answers)
    if is_picture(images):
        return ImageSource(form="pictures", images=[images], answers=answers)
    if isinstance(images, (np.ndarray, Tensor)) and images.dtype != object:
        return ImageSource(form="array", images=images, answers=answers)
    if isinstance(images, (list, tuple, np.ndarray)):
        if not len(images):
            raise DataError("expected at least one image, got an empty list")
        return ImageSource(form="pictures", images=list(images), answers=answers)
    return ImageSource(form="files", images=images, answers=answers)


def lists_images(data: Any) -> bool:
    """Whether data are images of Pillow's, or names of image files of which one exists.

    Example:
        >>> lists_images(["a cat", "a dog"]), lists_images(["gone.png"])
        (False, False)
    """
    named = path_list(data)
    if named is not None:
        return all(is_image(Path(each)) for each in named) and any(Path(each).expanduser().is_file() for each in named)
    return is_picture(data) or (isinstance(data, (list, tuple)) and bool(data) and all(map(is_picture, data)))


def path_list(data: Any) -> list[str | Path] | None:
    """Convert a list, an array or a column of texts or paths to a list; None for anything else, and for none."""
    if isinstance(data, np.ndarray):
        values = data.tolist() if data.ndim == 1 and data.dtype.kind in "UO" else None
    elif isinstance(data, (list, tuple)):
        values = list(data)
    else:  # a column of polars or pandas has one axis, a frame two
        values = data.to_list() if hasattr(data, "to_list") and len(getattr(data, "shape", ())) == 1 else None
    return values if values and all(isinstance(each, (str, Path)) for each in values) else None


def _all_alike(data: tuple[Any, Any]) -> bool:
    """Whether a tuple of two is two images, not images and their answers."""
    return all(isinstance(each, (str, Path)) for each in data) or all(map(is_picture, data))


def _idx_of(path: Path) -> Path | None:
    return images_in(path) if path.is_dir() else path if is_idx(path) else None
