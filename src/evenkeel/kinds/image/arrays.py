"""Conversion of arrays to images: (row, channel, height, width), bytes for whole numbers 0..255, else float32.

Recognised as images without `kind`: bytes (uint8) of 3 or 4 axes, or anything of 4 axes. Other arrays of 3 axes
are sequences. The axis of channels, of 4, is the shorter of the second and the last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from evenkeel.errors import DataError
from evenkeel.shapes import Shaped, Tensor

MOST_CHANNELS = 16
ROWS_AT_ONCE = 4096


def looks_like_images(data: Any) -> bool:
    """Whether an array or tensor holds images, by its type and axes.

    Example:
        >>> looks_like_images(np.zeros((5, 8, 8), np.uint8)), looks_like_images(np.zeros((5, 8, 8)))
        (True, False)
    """
    if not isinstance(data, (np.ndarray, Tensor)):
        return False
    bytes_ = data.dtype in (np.uint8, torch.uint8)
    return data.ndim == 4 or (data.ndim == 3 and bytes_)


def as_pixels(data: Any) -> Shaped[Tensor, "row channel height width"]:
    """Convert any array of images to a tensor on the CPU; grey ones may lack the axis of channels.

    Raises:
        DataError: other axes, no rows, too many channels, or values that are not finite.

    Example:
        >>> as_pixels(np.zeros((5, 28, 30, 3), np.uint8)).shape
        torch.Size([5, 3, 28, 30])
    """
    tensor = _tensor(data)
    if not tensor.numel():
        raise DataError(f"there is no image: got an array of shape {tuple(tensor.shape)}; expected at least one")
    if tensor.dim() not in (3, 4):
        raise DataError(
            "expected images as an array (row, height, width), (row, height, width, channel) or (row, channel, height, "
            f"width), got shape {tuple(tensor.shape)}; a single image is X[None]"
        )
    if tensor.dim() == 3:
        return _typed(tensor.unsqueeze(1))
    first, last = tensor.shape[1], tensor.shape[3]
    # A tie decides nothing: then tensors have channels first, arrays last, as their libraries do.
    in_front = first < last or (first == last and isinstance(data, Tensor))
    channels_first = tensor if in_front else tensor.permute(0, 3, 1, 2)
    if channels_first.shape[1] > MOST_CHANNELS:
        raise DataError(
            f"expected images with at most {MOST_CHANNELS} channels on the second or last axis, got shape "
            f"{tuple(tensor.shape)}"
        )
    return _typed(channels_first.contiguous())


def _tensor(data: Any) -> Tensor:
    """Convert data to a tensor on the CPU, without a gradient."""
    if isinstance(data, Tensor):
        return data.detach().cpu()
    try:
        array = np.asarray(data)
    except ValueError as problem:
        raise DataError("expected images of one size, got some of different sizes; resize them first") from problem
    if array.dtype.kind not in "buif":
        raise DataError(f"expected images as numbers, got an array of {array.dtype}")
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(np.int64)
    return torch.from_numpy(np.ascontiguousarray(array))


def _typed(values: Tensor) -> Tensor:
    """Convert to bytes where nothing is lost by it, else to float32."""
    if values.dtype == torch.uint8:
        return values
    if values.dtype == torch.bool:
        return values.to(torch.uint8) * 255
    low, high = values.aminmax()
    if not values.is_floating_point() and low >= 0 and high <= 255:
        return values.to(torch.uint8)
    if not values.is_floating_point() or bool(low.isfinite() & high.isfinite()):
        return values.float()
    row = int((~values.isfinite()).flatten(1).any(1).nonzero()[0])
    raise DataError(f"image {row} holds values that are not finite; correct or remove such images")


def whole_bytes(values: Tensor) -> Tensor | None:
    """Convert to bytes where each number is whole, 0..255, and some is above 1; else None."""
    if values.dtype == torch.uint8:
        return values
    low, high = (float(end) for end in values.aminmax())
    if low < 0 or not 1 < high <= 255 or bool((values != values.round()).any()):
        return None
    return values.to(torch.uint8)


def channel_moments(pixels: Tensor, rows: Tensor) -> tuple[list[float], list[float]]:
    """Compute mean and standard deviation of each channel over some rows; a channel that never varies has 1."""
    sums = torch.zeros(2, pixels.shape[1], dtype=torch.float64)
    for part in rows.split(ROWS_AT_ONCE):
        values = pixels.index_select(0, part).transpose(0, 1).flatten(1).double()
        sums += torch.stack([values.sum(1), values.square().sum(1)])
    count = len(rows) * pixels.shape[2:].numel()
    mean, square = sums / count
    spread = (square - mean.square()).clamp(min=0).sqrt()
    still = spread <= 1e-6 * (mean.abs() + 1e-6)
    return mean.tolist(), torch.where(still, 1.0, spread).tolist()
