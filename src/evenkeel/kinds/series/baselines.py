"""Plain forecasts beside the network: the last value for all steps to come, and one linear map of the window.

    y - level = (window - level) W + b      ridge: least squares with alpha |W|², level the mean of the window

in spreads of each series, one map for all. Source: Hoerl & Kennard 1970, doi:10.1080/00401706.1970.10488634;
Zeng et al. 2023, arXiv:2205.13504
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from evenkeel.data.dataset import Dataset
from evenkeel.heads import HeadPart
from evenkeel.kinds.base import Rival
from evenkeel.kinds.series.schema import SeriesSchema
from evenkeel.kinds.series.windows import SeriesWindows
from evenkeel.shapes import Float, Int, Tensor

ROWS_AT_ONCE = 4096
PENALTY = 1e-4  # alpha, as a share of the mean squared size of a column: keeps the map finite, hardly more


def repeat_last(part: HeadPart, data: Dataset, known: Tensor, asked: Tensor, seed: int) -> np.ndarray:
    """The last value before the forecast, for every step of it; (row, horizon) in the target's units."""
    ahead = _ahead(data)
    last = ahead.values[ahead.starts[asked] - 1, ahead.series[asked]]
    return last.unsqueeze(1).expand(-1, ahead.length).numpy()


def linear_map(part: HeadPart, data: Dataset, known: Tensor, asked: Tensor, seed: int) -> np.ndarray:
    """Ridge from the window to all steps; (row, horizon) in the target's units."""
    inside: Tensor | float = 0.0
    across: Tensor | float = 0.0
    for rows in known.split(ROWS_AT_ONCE):
        given, level, scale = _given(data, rows)
        ahead = (data.target.index_select(0, rows) - scale[0]) / scale[1] - level
        inside, across = inside + given.T @ given, across + given.T @ ahead
    inside = torch.as_tensor(inside)
    size = inside.diagonal()[:-1].mean() * PENALTY + 1e-12
    alpha = torch.cat([size.expand(len(inside) - 1), torch.full((1,), 1e-12)])
    weight = torch.linalg.solve(inside + torch.diag(alpha), torch.as_tensor(across))
    return np.concatenate([found.numpy() for found in _mapped(data, asked, weight)])


def _mapped(data: Dataset, asked: Int[Tensor, "row"], weight: Tensor) -> Iterator[Float[Tensor, "row step"]]:
    for rows in asked.split(ROWS_AT_ONCE):
        given, level, scale = _given(data, rows)
        yield (given @ weight + level) * scale[1] + scale[0]


def _given(data: Dataset, rows: Int[Tensor, "row"]) -> tuple[Tensor, Tensor, Tensor]:
    """Windows without their level and a column of ones, float64; the level; center and spread, (2, row, 1)."""
    if not isinstance(data.schema, SeriesSchema):
        raise TypeError("a forecast needs the schema of series")
    window = data.inputs["window"].index_select(0, rows).double()
    level = window.mean(1, keepdim=True)
    scale = data.schema.scales[:, data.inputs["series"].index_select(0, rows)].unsqueeze(-1)
    return torch.cat([window - level, torch.ones_like(level)], dim=1), level, scale


def _ahead(data: Dataset) -> SeriesWindows:
    """The steps to come of every window, as they are."""
    if not isinstance(data.target, SeriesWindows):
        raise TypeError("a forecast needs windows of series as its target")
    return data.target


RIVALS: dict[str, Rival] = {"repeat-last": repeat_last, "linear map": linear_map}
