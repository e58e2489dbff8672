"""Baselines of images: a linear model and nearest neighbours on the pixels.

Pixels are scaled as the network's are; large images are averaged down first, to some thousand numbers.
"""

from __future__ import annotations

import math

import numpy as np
from torch.nn import functional

from evenkeel.data.dataset import Dataset
from evenkeel.heads import HeadPart
from evenkeel.kinds.base import Baseline
from evenkeel.kinds.baselines import NearestNeighbours, baseline, linear_model
from evenkeel.kinds.image.schema import ImageSchema
from evenkeel.shapes import Tensor

MOST_NUMBERS = 1024  # of one image: 32 x 32 grey pixels
NEIGHBOURS = 5
ROWS_AT_ONCE = 4096


def pixel_matrix(data: Dataset[ImageSchema], rows: Tensor) -> np.ndarray:
    """Compute scaled pixels side by side, (row, number), part by part."""
    schema = data.schema
    most = max(1, math.isqrt(MOST_NUMBERS // schema.channels))
    size = (min(schema.height, most), min(schema.width, most))
    matrix = np.empty((len(rows), schema.channels * size[0] * size[1]), dtype=np.float32)
    mean, spread = (np.array(each, np.float32).reshape(1, -1, 1, 1) for each in (schema.mean, schema.spread))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        pixels = data.inputs["pixels"].index_select(0, rows[start : start + ROWS_AT_ONCE]).float()
        small = functional.adaptive_avg_pool2d(pixels, size).numpy()
        matrix[start : start + len(small)] = ((small - mean) / spread).reshape(len(small), -1)
    return matrix


def _nearest(part: HeadPart, data: Dataset[ImageSchema], seed: int) -> NearestNeighbours | None:
    return None if part.plain is None else NearestNeighbours(part.plain, NEIGHBOURS)


BASELINES: dict[str, Baseline[ImageSchema]] = {
    "linear": baseline(linear_model, pixel_matrix),
    "nearest neighbours": baseline(_nearest, pixel_matrix),
}
