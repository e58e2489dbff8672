"""Forecasting head: every step to come and how sure the network is of it.

output (mean, s) of each step, the series standardised;  y ~ N(center + spread·mean, spread²·exp(s)·width²)
`width` is fitted on validation windows, as in the Gaussian head. What features and output hold: see `steps_ahead.py`.
Source: Nix & Weigend 1994; level and scale of the window: Kim et al. 2022, openreview cGDAkQo1C0p
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from evenkeel.heads.base import HeadPart
from evenkeel.heads.gaussian import BOUND, WIDTHS
from evenkeel.heads.match import LossChoice
from evenkeel.heads.predictive import NORMAL, Predictive
from evenkeel.heads.steps_ahead import Ahead
from evenkeel.shapes import Float, Shaped, Tensor

# Steps that decide the width: its error is then far below the distance of two widths that are tried.
MOST_STEPS = 100_000


class Forecast(Ahead):
    """Features to mean and log-variance of each step to come; the loss is the Gaussian negative log-likelihood.

    Args:
        features: units that come in; the last four are level and scale of the window, center and spread of its series.
        horizon: steps to come.

    Shapes:
        features (batch, unit) -> output (batch, horizon + 2, 2); target and predictions (batch, horizon), in the units
        of the target; the distribution has all steps of the first row, then those of the next, (batch·horizon,).

    Example:
        >>> head = Forecast(12, horizon=3)
        >>> place = torch.tensor([[0.5, 2.0, 100.0, 10.0]])  # half a spread of 10 above a center of 100
        >>> head.predict(head(torch.cat([torch.zeros(1, 8), place], dim=1))).tolist()
        [[105.0, 105.0, 105.0]]
    """

    task = "probabilistic-regression"
    default_loss = "gaussian_nll"
    gives = ("gaussian",)
    parts = 2

    width: Tensor

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
        self.register_buffer("width", torch.ones((), dtype=torch.float64))

    @override
    def placed(
        self,
        steps: Float[Tensor, "*lead batch step part"],
        level: Float[Tensor, "*lead batch 1"],
        scale: Float[Tensor, "*lead batch 1"],
    ) -> Float[Tensor, "*lead batch step part"]:
        return torch.stack([level + scale * steps[..., 0], steps[..., 1] + 2 * scale.log()], dim=-1)

    @override
    def loss_inputs(
        self, output: Float[Tensor, "*lead batch row part"], target: Shaped[Tensor, "batch step"]
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        return (output[..., :-2, 0], output[..., :-2, 1]), self.standardised(output, target)

    @override
    def distribution(self, output: Float[Tensor, "*lead batch row part"]) -> Predictive:
        return self._mixture(output, float(self.width))

    def _mixture(self, output: Tensor, width: float) -> Predictive:
        values = (output if self.members is not None else output.unsqueeze(0)).detach().double().cpu()
        center, spread = (each.double().cpu() for each in self.units(output))
        mean = values[..., :-2, 0] * spread + center
        deviation = torch.exp(0.5 * values[..., :-2, 1].clamp(-BOUND, BOUND)) * spread * width
        return Predictive(NORMAL, {"mean": mean.flatten(1).numpy(), "spread": deviation.flatten(1).numpy()})

    @override
    def calibrate(self, output: Float[Tensor, "*lead batch row part"], target: Shaped[Tensor, "batch step"]) -> None:
        every = max(1, -(-target.numel() // MOST_STEPS))
        truth = target[::every].double().cpu().flatten().numpy()
        some = output[::every] if self.members is None else output[:, ::every]
        scores = [self._mixture(some, width).log_prob(truth).mean() for width in WIDTHS]
        self.width.fill_(float(WIDTHS[int(np.argmax(scores))]))


FORECAST = HeadPart(
    name="forecast",
    summary="probabilistic regression of a series: every step to come with its uncertainty",
    source="Nix & Weigend 1994; Kim et al. 2022, openreview cGDAkQo1C0p",
    call=Forecast,
    target="series",
    metrics=("rmse", "mae", "nll", "crps", "coverage_90", "width_90"),
    chosen="by-target",
)
