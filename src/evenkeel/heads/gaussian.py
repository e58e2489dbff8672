"""Gaussian head: a real number and how sure the network is of it, each row with its own variance.

output (m, s): mean and log-variance of the standardised target;  y ~ N(center + spread·m, spread²·exp(s)·width²)
`width` is fitted on validation rows: a network is surer of rows like those it trained on than it should be.
Source: Nix & Weigend 1994; ensemble as a mixture: Lakshminarayanan et al. 2017, arXiv:1612.01474.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from evenkeel.heads.base import HeadPart
from evenkeel.heads.match import LossChoice
from evenkeel.heads.number import Number
from evenkeel.heads.plain_models import OF_NUMBERS
from evenkeel.heads.predictive import NORMAL, Predictive
from evenkeel.heads.targets import mean_and_spread
from evenkeel.shapes import Float, Shaped, Tensor

# Standard deviations that calibration tries, relative to the network's own: far beyond this the fit itself is wrong.
WIDTHS = np.geomspace(0.25, 6.0, 161)
BOUND = 20.0  # of the log-variance when predicting, as in the loss


class Gaussian(Number):
    """Features to mean and log-variance; the loss is the Gaussian negative log-likelihood of the standardised target.

    Example:
        >>> head = Gaussian(4)
        >>> head.start(torch.tensor([10.0, 20.0, 30.0]))
        >>> head.distribution(head(torch.zeros(2, 4))).mean
        array([20., 20.])
    """

    task = "probabilistic-regression"
    default_loss = "gaussian_nll"
    gives = ("gaussian",)

    center: Tensor
    spread: Tensor
    width: Tensor

    def __init__(
        self,
        features: int,
        *,
        members: int | None = None,
        loss: LossChoice | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(features, 2, members=members, loss=loss, options=options)
        self.register_buffer("center", torch.zeros((), dtype=torch.float64))
        self.register_buffer("spread", torch.ones((), dtype=torch.float64))
        self.register_buffer("width", torch.ones((), dtype=torch.float64))

    @override
    def start(self, target: Shaped[Tensor, "row"], weight: Float[Tensor, "row"] | None = None) -> None:
        self.check(target)
        mean, spread = mean_and_spread(target, weight)
        self.center.copy_(mean)
        self.spread.copy_(spread)
        torch.nn.init.zeros_(self.linear.bias)

    @override
    def loss_inputs(
        self, output: Float[Tensor, "*lead batch out"], target: Shaped[Tensor, "batch"]
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        return output.unbind(-1), ((target - self.center) / self.spread).to(output.dtype)

    @override
    def predict(self, output: Float[Tensor, "*lead batch out"]) -> Float[Tensor, "batch"]:
        mean = output[..., 0].double() if self.members is None else output[..., 0].double().mean(0)
        return (mean * self.spread + self.center).to(torch.get_default_dtype())

    @override
    def distribution(self, output: Float[Tensor, "*lead batch out"]) -> Predictive:
        return self._mixture(output, float(self.width))

    def _mixture(self, output: Tensor, width: float) -> Predictive:
        values = output.detach().double().cpu()
        values = values if self.members is not None else values.unsqueeze(0)
        spread, center = float(self.spread), float(self.center)
        mean = values[..., 0].numpy() * spread + center
        deviation = torch.exp(0.5 * values[..., 1].clamp(-BOUND, BOUND)).numpy() * spread * width
        return Predictive(NORMAL, {"mean": mean, "spread": deviation})

    @override
    def calibrate(self, output: Float[Tensor, "*lead row out"], target: Shaped[Tensor, "row"]) -> None:
        truth = target.double().cpu().numpy()
        scores = [self._mixture(output, width).log_prob(truth).mean() for width in WIDTHS]
        self.width.fill_(float(WIDTHS[int(np.argmax(scores))]))


GAUSSIAN = HeadPart(
    name="gaussian",
    summary="probabilistic regression: a real number with its uncertainty",
    source="Nix & Weigend 1994; Lakshminarayanan et al. 2017, arXiv:1612.01474",
    call=Gaussian,
    target="number",
    metrics=("rmse", "mae", "r2", "nll", "crps", "coverage_90", "width_90"),
    plain=OF_NUMBERS,
)
