"""Schema of images: the form they are brought to and the scale of the training rows; and the options of reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import BeforeValidator
from pydantic import Field as Option

from evenkeel.data.columns import Column
from evenkeel.data.schema import DataSchema, Frozen
from evenkeel.kinds.image.arrays import channel_moments
from evenkeel.kinds.image.files import COLOURS, Aspect, ImageForm, ImageHeader
from evenkeel.shapes import Tensor

KEPT_SIZE, USUAL_SIZE = 224, 128  # pixels: the largest common size that is kept, and the one that others are brought to
# On the command line `--set augment=none` arrives as None.
Off = BeforeValidator(lambda value: "none" if value is None else value)


class ImageOptions(Frozen):
    """Options of reading and augmenting images."""

    pixels: int | None = Option(
        default=None,
        ge=4,
        le=1024,
        description="side of the square that images are brought to; None: their own size up to 224",
    )
    aspect: Aspect = Option(
        default="pad", description="what keeps the aspect: pad with the edge's colour, or crop to the middle"
    )
    images: str | None = Option(
        default=None, description="the column of a table that holds the paths; None: it is found"
    )
    augment: Annotated[Literal["auto", "none"], Off] = Option(
        default="auto", description="auto: small shifts, turns, sizes and slants while training"
    )
    flip: Literal["never", "horizontal"] = Option(
        default="never", description="horizontal: left and right change places"
    )
    fold: int | None = Option(
        default=None, ge=1, le=4, description="side of the blocks that a CNN takes as one position; None: by the size"
    )
    latent: int = Option(default=16, ge=1, description="numbers of the code from which images are generated")
    cache: Annotated[str, Off] = Option(
        default="auto", description="folder of decoded images; auto: the user's cache; none: not kept"
    )


class ImageSchema(DataSchema):
    """Form that new images are brought to, and scale of the training rows.

    `values`: `bytes` 0..255, or `numbers` from `low` to `high` in training. `mean` and `spread` are of each channel.
    """

    kind: str = "image"
    height: int
    width: int
    channels: int
    aspect: Aspect = "pad"
    images: str | None = None
    values: Literal["bytes", "numbers"] = "bytes"
    low: float = 0.0
    high: float = 255.0
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    fold: int = 1
    latent: int = 16

    @property
    def form(self) -> ImageForm:
        """Form that files are brought to."""
        return ImageForm(height=self.height, width=self.width, channels=self.channels, aspect=self.aspect)


def form_of(headers: Sequence[ImageHeader], options: ImageOptions) -> tuple[ImageForm, tuple[str, ...]]:
    """Choose size and channels for such files; also return sentences about the changes.

    One common size is kept up to 224 pixels, and brought to 128 along its longer side beyond. Different sizes become a
    square as wide as the middle one is long, at most 128. Channels: as many as the richest file has.

    Example:
        >>> form_of([ImageHeader(height=28, width=28, channels=1)], ImageOptions())[0]
        ImageForm(height=28, width=28, channels=1, aspect='pad')
    """
    sizes = Counter((each.height, each.width) for each in headers)
    longest = sorted(max(each.height, each.width) for each in headers)
    height, width = headers[0].height, headers[0].width
    if options.pixels is not None:
        height = width = options.pixels
    elif len(sizes) > 1:
        height = width = max(min(longest[len(longest) // 2], USUAL_SIZE), 1)
    elif max(height, width) > KEPT_SIZE:
        height, width = (max(1, round(side * USUAL_SIZE / longest[0])) for side in (height, width))
    channels = Counter(each.channels for each in headers)
    form = ImageForm(height=height, width=width, channels=max(channels), aspect=options.aspect)
    notes = []
    if set(sizes) != {(height, width)}:
        how = "padded" if options.aspect == "pad" else "cropped"
        original = f"{len(sizes)} different sizes" if len(sizes) > 1 else "{} x {} pixels".format(*next(iter(sizes)))
        notes.append(f"Images of {original} are brought to {height} x {width}, {how} where the aspect differs.")
    if len(channels) > 1:
        counted = ", ".join(f"{count} {COLOURS[each]}" for each, count in channels.most_common())
        notes.append(f"Images differ in their channels ({counted}); all are read as {COLOURS[form.channels]}.")
    return form, tuple(notes)


def fit_images(
    pixels: Tensor, train: np.ndarray, options: ImageOptions, *, fold: int = 1, column: str | None = None
) -> ImageSchema:
    """Learn the scale of the training rows of `pixels` (row, channel, height, width).

    Example:
        >>> schema = fit_images(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), np.arange(2), ImageOptions())
        >>> schema.mean, schema.spread, schema.values
        ((0.0,), (1.0,), 'bytes')
    """
    _, channels, height, width = pixels.shape
    rows = torch.from_numpy(train)
    mean, spread = channel_moments(pixels, rows)
    whole = pixels.dtype == torch.uint8
    low, high = (0.0, 255.0) if whole else tuple(float(end) for end in pixels.index_select(0, rows).aminmax())
    colours = COLOURS.get(channels, f"{channels} channels")
    described = Column(name="image", kind="image", missing=0, examples=(f"{height} x {width} pixels, {colours}",))
    return ImageSchema(
        columns=(described,),
        height=height,
        width=width,
        channels=channels,
        aspect=options.aspect,
        images=column,
        values="bytes" if whole else "numbers",
        low=low,
        high=high,
        mean=tuple(mean),
        spread=tuple(spread),
        fold=fold,
        latent=options.latent,
    )
