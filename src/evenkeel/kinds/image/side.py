"""Images as one side of a pair: pixels, or one column of paths of image files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from evenkeel.data.dataset import Augment
from evenkeel.data.fields import Fields
from evenkeel.kinds.image.arrays import as_pixels
from evenkeel.kinds.image.augment import augmentation
from evenkeel.kinds.image.listing import path_column
from evenkeel.kinds.image.read import images_like, read_images
from evenkeel.kinds.image.schema import ImageOptions, ImageSchema, fit_images
from evenkeel.kinds.side import Loaded, Raw, Side, SideRequest, load_nothing
from evenkeel.shapes import Tensor

WORDS = (pl.String, pl.Categorical, pl.Enum)


def _recognises(raw: Raw, folder: Path) -> bool:
    if isinstance(raw, Tensor):
        return True
    return raw.width == 1 and raw.dtypes[0] in WORDS and path_column(raw, folder) is not None


def _options(request: SideRequest) -> ImageOptions:
    """Select the options that images share with pairs."""
    return ImageOptions(**{key: value for key, value in request.options.items() if key in ImageOptions.model_fields})


def _load(raw: Raw, folder: Path, request: SideRequest) -> Loaded:
    """Decode image files; those that cannot be read are left out and named.

    Raises:
        DataError: no file can be read.
    """
    if isinstance(raw, Tensor):
        return load_nothing(raw, folder, request)
    names = raw.to_series().cast(pl.String).fill_null("").to_list()
    images = read_images([folder / name for name in names], _options(request))
    return Loaded(raw=images.pixels, rows=images.rows, notes=images.notes)


def _fit(raw: Raw, train: np.ndarray, request: SideRequest) -> ImageSchema:
    if not isinstance(raw, Tensor):
        raise TypeError("image files are decoded before anything is learned of them")
    return fit_images(raw, train, _options(request))


def _encode(schema: ImageSchema, raw: Raw, folder: Path) -> Fields:
    new: Any = raw if isinstance(raw, Tensor) else [folder / str(name) for name in raw.to_series().to_list()]
    return {"pixels": images_like(schema, new).pixels}


def _augment(request: SideRequest) -> Augment | None:
    """Augment as for other images, but never by mirroring alone."""
    options = _options(request)
    return None if options.augment == "none" else augmentation(options, request.seed)


IMAGE_SIDE = Side(
    recognises=_recognises,
    fit=_fit,
    encode=_encode,
    of_array=as_pixels,
    load=_load,
    augment=_augment,
    plan={"cnn": {"width": 16, "depth": 3, "dropout": 0.1}},
)
