"""Plain forecasts beside the network: the last value for all steps to come, and one linear map of the window.

    y - level = (window - level) W + b      ridge: least squares with alpha |W|², level the mean of the window

in spreads of each series, one map for all. Source: Hoerl & Kennard 1970, doi:10.1080/00401706.1970.10488634;
Zeng et al. 2023, arXiv:2205.13504
"""

from __future__ import annotations

import numpy as np
import torch

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import in_form
from evenkeel.heads import HeadPart
from evenkeel.kinds.base import Baseline
from evenkeel.kinds.series.schema import SeriesSchema
from evenkeel.kinds.series.windows import SeriesWindows
from evenkeel.shapes import Int, Tensor

ROWS_AT_ONCE = 4096
PENALTY = 1e-4  # alpha, as a share of the mean squared size of a column: only keeps the map finite
TINY = 1e-12  # alpha where every window is flat


def repeat_last(part: HeadPart, data: Dataset[SeriesSchema], known: Tensor, rows: Tensor, seed: int) -> np.ndarray:
    """The last value before the forecast, for every step of it; (row, horizon) in the target's units."""
    ahead = in_form(data.target, SeriesWindows)
    last = ahead.values[ahead.starts[rows] - 1, ahead.series[rows]]
    return last.unsqueeze(1).expand(-1, ahead.length).numpy()


def linear_map(part: HeadPart, data: Dataset[SeriesSchema], known: Tensor, rows: Tensor, seed: int) -> np.ndarray:
    """Ridge from the window to all steps; (row, horizon) in the target's units."""
    from sklearn.linear_model import Ridge

    window, level, scale = _windows(data, known)
    ahead = (data.target.index_select(0, known) - scale[0]) / scale[1] - level
    alpha = PENALTY * float(window.square().sum(0).mean()) + TINY
    model = Ridge(alpha=alpha, copy_X=False).fit(window.numpy(), ahead.numpy())

    def forecast(some: Tensor) -> np.ndarray:
        window, level, scale = _windows(data, some)
        mapped = torch.from_numpy(model.predict(window.numpy())).view(len(some), -1)
        return ((mapped + level) * scale[1] + scale[0]).numpy()

    return np.concatenate([forecast(some) for some in rows.split(ROWS_AT_ONCE)])


def _windows(data: Dataset[SeriesSchema], rows: Int[Tensor, "row"]) -> tuple[Tensor, Tensor, Tensor]:
    """Windows without their level, float64; the level; center and spread, (2, row, 1)."""
    window = data.inputs["window"].index_select(0, rows).double()
    level = window.mean(1, keepdim=True)
    scale = data.schema.scales[:, data.inputs["series"].index_select(0, rows)].unsqueeze(-1)
    return window - level, level, scale


BASELINES: dict[str, Baseline[SeriesSchema]] = {"repeat-last": repeat_last, "linear map": linear_map}
