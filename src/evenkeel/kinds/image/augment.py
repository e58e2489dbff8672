"""Augmentation of images: small shifts, turns, sizes and slants, and mirroring if requested.

    x' = A (x - c) + c + t,   A = turn · size · slant,   drawn for each image anew in each epoch

The draw is a hash of (seed, epoch, row): the same in a continued run as in one that was never interrupted,
whatever the batch. All images of a batch are resampled at once, on their device, with the pixels of the edge repeated.
Source of the hash: Steele et al. 2014, doi:10.1145/2660193.2660195 (SplitMix); of the sampling: Jaderberg et al. 2015
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn import functional

from evenkeel.data.dataset import Augment
from evenkeel.kinds.image.schema import ImageOptions
from evenkeel.shapes import Float, Int, Shaped, Tensor

DRAWS = 7  # numbers for each image: two shifts, turn, two sizes, slant, side


def uniform(rows: Int[Tensor, "row"], *, seed: int, epoch: int, count: int) -> Float[Tensor, "row draw"]:
    """Draw numbers in [0, 1) that depend on seed, epoch, row and place alone.

    Example:
        >>> both = uniform(torch.tensor([3, 5]), seed=0, epoch=1, count=2)
        >>> torch.equal(both[1:], uniform(torch.tensor([5]), seed=0, epoch=1, count=2))
        True
    """
    draws = torch.arange(count, device=rows.device)
    mixed = torch.full_like(rows, seed)
    for number in (epoch, rows, None):
        mixed = _mix(mixed + number) if number is not None else _mix(mixed.unsqueeze(1) + draws)
    # 24 bits fill a float32 and never round up to 1.
    return _shifted(mixed, 40).float() * 2.0**-24


def _mix(x: Int[Tensor, "*row"]) -> Int[Tensor, "*row"]:
    """Apply SplitMix64's step and its finisher; products wrap at 64 bits."""
    x = x + _signed(0x9E3779B97F4A7C15)
    x = (x ^ _shifted(x, 30)) * _signed(0xBF58476D1CE4E5B9)
    x = (x ^ _shifted(x, 27)) * _signed(0x94D049BB133111EB)
    return x ^ _shifted(x, 31)


def _shifted(x: Tensor, bits: int) -> Tensor:
    """Shift to the right, with zeros from the left."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _signed(number: int) -> int:
    """Convert 64 bits to a signed number."""
    return number - (1 << 64) if number >= 1 << 63 else number


@dataclass(frozen=True, kw_only=True)
class Affine:
    """Augmentation by random affine maps: each number is drawn evenly between its negative and itself.

    `shift` is a share of each side, `turn` and `slant` are in degrees, `size` is the change of size as a share.

    Example:
        >>> vary = Affine(seed=0)
        >>> vary({"pixels": torch.zeros(2, 1, 8, 8, dtype=torch.uint8)}, torch.arange(2), 0)["pixels"].dtype
        torch.float32
    """

    seed: int
    shift: float = 0.08
    turn: float = 10.0
    size: float = 0.1
    slant: float = 8.0
    flip: Literal["never", "horizontal"] = "never"

    def __call__(self, inputs: Mapping[str, Tensor], rows: Int[Tensor, "batch"], epoch: int) -> dict[str, Tensor]:
        """Augment the `pixels` of a batch, as float32 in their own units."""
        pixels = inputs["pixels"]
        drawn = uniform(rows, seed=self.seed, epoch=epoch, count=DRAWS)
        return {**inputs, "pixels": resample(pixels.float(), self._matrices(drawn, pixels.shape[2] / pixels.shape[3]))}

    def _matrices(self, drawn: Float[Tensor, "batch draw"], ratio: float) -> Float[Tensor, "batch 2 3"]:
        """Compute maps from places of the new image to places of the old one, both from -1 to 1 along each axis."""
        even = 2 * drawn - 1
        across, down, turn, wide, high, slant = even[:, :6].unbind(1)
        turn, slant = turn * math.radians(self.turn), (slant * math.radians(self.slant)).tan()
        wide, high = 1 + self.size * wide, 1 + self.size * high
        if self.flip == "horizontal":
            wide = torch.where(drawn[:, 6] < 0.5, -wide, wide)
        cos, sin = turn.cos(), turn.sin()
        # Turned in pixels, not in shares of the sides: `ratio` is height / width.
        upper = torch.stack([cos * wide, (cos * slant - sin) * high * ratio, 2 * self.shift * across], 1)
        lower = torch.stack([sin * wide / ratio, (sin * slant + cos) * high, 2 * self.shift * down], 1)
        return torch.stack([upper, lower], 1)


def resample(
    images: Float[Tensor, "batch channel height width"], matrices: Float[Tensor, "batch 2 3"]
) -> Shaped[Tensor, "batch channel height width"]:
    """Resample each image by its own affine map, between pixels by bilinear interpolation."""
    grid = functional.affine_grid(matrices, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def augmentation(options: ImageOptions, seed: int) -> Augment | None:
    """Make the augmentation that the options request, which may be mirroring alone; None for none."""
    if options.augment == "none" and options.flip == "never":
        return None
    if options.augment == "none":
        return Affine(seed=seed, shift=0.0, turn=0.0, size=0.0, slant=0.0, flip=options.flip)
    return Affine(seed=seed, flip=options.flip)
