"""Forecasting head without uncertainty: the mean of every step to come.

output mean of each step, the series standardised;  f = center + spread·mean    [units of the target]
What features and output hold: see `steps_ahead.py`.
Source: mean of the target under squared error; level and scale: Kim et al. 2022, openreview cGDAkQo1C0p
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from evenkeel.heads.base import HeadPart
from evenkeel.heads.match import LossChoice
from evenkeel.heads.steps_ahead import Ahead
from evenkeel.shapes import Float, Shaped, Tensor


class PointForecast(Ahead):
    """Features to each step to come; the loss is the mean squared error of the standardised series.

    Args:
        features: units that come in; the last four are level and scale of the window, center and spread of its series.
        horizon: steps to come.

    Shapes:
        features (batch, unit) -> output (batch, horizon + 2, 1); target and predictions (batch, horizon), in the units
        of the target.

    Example:
        >>> import torch
        >>> head = PointForecast(12, horizon=2)
        >>> place = torch.tensor([[0.5, 2.0, 100.0, 10.0]])  # half a spread of 10 above a center of 100
        >>> head.predict(head(torch.cat([torch.zeros(1, 8), place], dim=1))).tolist()
        [[105.0, 105.0]]
    """

    task = "regression"
    default_loss = "mse"
    gives = ("value",)
    parts = 1

    def __init__(
        self,
        features: int,
        *,
        horizon: int,
        members: int | None = None,
        loss: LossChoice | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(features, horizon=horizon, members=members, loss=loss, options=options)

    @override
    def placed(
        self,
        steps: Float[Tensor, "*lead batch step part"],
        level: Float[Tensor, "*lead batch 1"],
        scale: Float[Tensor, "*lead batch 1"],
    ) -> Float[Tensor, "*lead batch step part"]:
        return level.unsqueeze(-1) + scale.unsqueeze(-1) * steps

    @override
    def loss_inputs(
        self, output: Float[Tensor, "*lead batch row part"], target: Shaped[Tensor, "batch step"]
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        return (output[..., :-2, 0],), self.standardised(output, target)

    @override
    def distribution(self, output: Float[Tensor, "*lead batch row part"]) -> None:
        return None

    @override
    def calibrate(self, output: Float[Tensor, "*lead batch row part"], target: Shaped[Tensor, "batch step"]) -> None:
        return None


POINT_FORECAST = HeadPart(
    name="point_forecast",
    summary="regression of a series: every step to come",
    source="mean under squared error; Kim et al. 2022, openreview cGDAkQo1C0p",
    call=PointForecast,
    target="series",
    metrics=("rmse", "mae"),
    chosen="by-target",
)
