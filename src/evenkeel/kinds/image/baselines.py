"""Plain models on the pixels themselves: a linear one, and the nearest neighbours.

Pixels are scaled as the network's are; large images are averaged down first, to some thousand numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torch.nn import functional

from evenkeel.data.dataset import Dataset
from evenkeel.heads import HeadPart
from evenkeel.heads.plain_models import PlainModels
from evenkeel.kinds.base import Rival
from evenkeel.kinds.baselines import linear_model, rival
from evenkeel.kinds.image.schema import ImageSchema
from evenkeel.shapes import Tensor

MOST_NUMBERS = 1024  # of one image: 32 x 32 grey pixels
NEIGHBOURS = 5
ROWS_AT_ONCE = 4096


class NearestNeighbours:
    """scikit-learn's classifier or regressor; it knows no weights of examples, so those are left out."""

    def __init__(self, plain: PlainModels) -> None:
        self.plain = plain
        self.classes_ = np.empty(0)

    def fit(self, matrix: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None = None) -> NearestNeighbours:
        """Remember the rows."""
        self.model: Any = self.plain.neighbours(min(NEIGHBOURS, len(matrix))).fit(matrix, target)
        self.classes_ = getattr(self.model, "classes_", self.classes_)
        return self

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        """The mean of the neighbours."""
        return self.model.predict(matrix)

    def predict_proba(self, matrix: np.ndarray) -> Any:
        """The share of the neighbours in each class."""
        return self.model.predict_proba(matrix)


def pixel_matrix(data: Dataset, rows: Tensor) -> np.ndarray:
    """Scaled pixels side by side, (row, number), filled part by part."""
    schema = data.schema
    if not isinstance(schema, ImageSchema):
        raise TypeError("images need the schema of images")
    most = max(1, math.isqrt(MOST_NUMBERS // schema.channels))
    size = (min(schema.height, most), min(schema.width, most))
    matrix = np.empty((len(rows), schema.channels * size[0] * size[1]), dtype=np.float32)
    mean, spread = (np.array(each, np.float32).reshape(1, -1, 1, 1) for each in (schema.mean, schema.spread))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        pixels = data.inputs["pixels"].index_select(0, rows[start : start + ROWS_AT_ONCE]).float()
        small = functional.adaptive_avg_pool2d(pixels, size).numpy()
        matrix[start : start + len(small)] = ((small - mean) / spread).reshape(len(small), -1)
    return matrix


def _nearest(part: HeadPart, data: Dataset, seed: int) -> NearestNeighbours | None:
    return None if part.plain is None else NearestNeighbours(part.plain)


RIVALS: dict[str, Rival] = {
    "linear": rival(linear_model, pixel_matrix),
    "nearest neighbours": rival(_nearest, pixel_matrix),
}
