"""Pictures of images in the report: test images with truth and prediction, or new ones decoded from random codes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch.nn import functional

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import in_form
from evenkeel.heads.latent import Latent
from evenkeel.kinds.base import Shown
from evenkeel.kinds.image.schema import ImageSchema
from evenkeel.kinds.image.target import as_images
from evenkeel.page import Section
from evenkeel.page.images import images_section, made_section
from evenkeel.shapes import Tensor

SHOWN_SIDE, SHOWN_BYTES = 48, 4_000_000  # of the test images that are kept
DRAWN = 24  # new images shown of a latent head


def keep_images(dataset: Dataset[ImageSchema], rows: Tensor) -> Mapping[str, Tensor]:
    """Make small versions of test images for the report, evenly spread if many; `place` is their place in `rows`."""
    pixels = in_form(dataset.inputs["pixels"], Tensor)
    size = (min(pixels.shape[2], SHOWN_SIDE), min(pixels.shape[3], SHOWN_SIDE))
    most = max(1, SHOWN_BYTES // (pixels.shape[1] * size[0] * size[1]))
    place = torch.arange(0, len(rows), max(1, -(-len(rows) // most)))
    low, high = dataset.schema.low, dataset.schema.high
    small = functional.adaptive_avg_pool2d(pixels[rows[place]].float(), size)
    scaled = (small - low) / max(high - low, 1e-12) * 255
    return {"pixels": scaled.round().clamp(0, 255).to(torch.uint8), "place": place}


def image_pictures(kept: Shown[ImageSchema]) -> Section | None:
    """Draw test images, the most confident mistakes first; of a latent head new ones."""
    if isinstance(kept.head, Latent):
        return _drawn(kept.head, kept.schema)
    answers = kept.answers
    if answers is None or "pixels" not in kept.tensors:
        return None
    place = kept.tensors["place"]
    return images_section(
        kept.tensors["pixels"],
        [answers.truth[row] for row in place],
        [answers.prediction[row] for row in place],
        surprise=answers.miss[place].tolist(),
        wrong=None if answers.right is None else (~answers.right[place]).tolist(),
        confidence=None if answers.confidence is None else answers.confidence[place].tolist(),
    )


def _drawn(head: Latent, schema: ImageSchema) -> Section | None:
    """Draw images that are decoded from random codes."""
    drawn = as_images(schema, head.sample(DRAWN, generator=torch.Generator().manual_seed(0))).numpy()
    return made_section(_as_bytes(np.moveaxis(drawn, -1, 1)), caption="Decoded from codes drawn at random.")


def _as_bytes(images: np.ndarray) -> np.ndarray:
    """Map numbers from the smallest to the largest to 0..255."""
    low, high = float(images.min()), float(images.max())
    if images.dtype == np.uint8:
        return images
    scaled = (images - min(low, 0.0)) / max(high - min(low, 0.0), 1e-12)
    return (255 * scaled).round().astype(np.uint8)
