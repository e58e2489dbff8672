"""Target of a network that generates images: the images themselves, as rows of values from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from evenkeel.data.target import Target
from evenkeel.errors import ShapeError
from evenkeel.kinds.image.schema import ImageSchema
from evenkeel.shapes import Float, Int, Shaped, Tensor


@dataclass(frozen=True)
class FlatImages:
    """Field of this target: each image flattened, its values scaled to 0..1 when a batch is taken.

    `pixels` (row, channel, height, width) go from `low` to `high`.

    Example:
        >>> pixels = torch.full((3, 1, 2, 2), 255, dtype=torch.uint8)
        >>> FlatImages(pixels, 0.0, 255.0).index_select(0, torch.tensor([1])).tolist()
        [[1.0, 1.0, 1.0, 1.0]]
    """

    pixels: Shaped[Tensor, "row channel height width"]
    low: float
    high: float

    def __len__(self) -> int:
        return len(self.pixels)

    def index_select(self, dim: int, index: Int[Tensor, "row"], /) -> Float[Tensor, "row value"]:
        """Return (row, channel * height * width) from 0 to 1."""
        chosen = self.pixels.index_select(0, index).flatten(1).float()
        return (chosen - self.low) / max(self.high - self.low, 1e-12)

    def to(self, device: torch.device | str, /) -> FlatImages:
        """Return the same field on a device."""
        return FlatImages(self.pixels.to(device), self.low, self.high)


def flat_images(schema: ImageSchema, pixels: Tensor) -> FlatImages:
    """Make the field of images in the form of the schema."""
    return FlatImages(pixels, schema.low, schema.high)


def target_of(schema: ImageSchema) -> Target:
    """Describe the images themselves as a target."""
    return Target(columns=("image",), kind="inputs", size=schema.channels * schema.height * schema.width)


def as_images(
    schema: ImageSchema, values: Float[Tensor, "*lead value"]
) -> Shaped[Tensor, "*lead height width channel"]:
    """Convert decoded values (..., value) from 0 to 1 to pictures in the units of training, channels last.

    Bytes are rounded and kept within 0..255.

    Raises:
        ShapeError: another number of values than an image has.
    """
    sizes = (schema.channels, schema.height, schema.width)
    if values.shape[-1] != schema.channels * schema.height * schema.width:
        raise ShapeError(f"expected {sizes[0] * sizes[1] * sizes[2]} values for each image, got {values.shape[-1]}")
    images = values.unflatten(-1, sizes).movedim(-3, -1) * (schema.high - schema.low) + schema.low
    return images.round().clamp(0, 255).to(torch.uint8) if schema.values == "bytes" else images
