"""Positive head: a number that cannot be negative (a count, a price, a duration), through ReLU or softplus.

    rate = scale · phi(z),   phi = softplus or ReLU, scale the mean of the training target        [units of the target]

Losses: `poisson_nll` (proper for any mean of a non-negative target, variance growing with the mean) or `mse`.
Predictive distribution: negative binomial for counts, gamma otherwise, one dispersion fitted on validation rows.
Source: McCullagh & Nelder 1989, chapters 6 and 8 (counts and quasi-likelihood); Dugas et al. 2001 (softplus).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from torch.nn import functional
from typing_extensions import override

from evenkeel.errors import DataError, RequestError
from evenkeel.heads.base import HeadPart
from evenkeel.heads.match import LossChoice
from evenkeel.heads.number import Number
from evenkeel.heads.plain_models import OF_RATES
from evenkeel.heads.predictive import GAMMA, NEGATIVE_BINOMIAL, Predictive
from evenkeel.heads.targets import mean_and_spread
from evenkeel.shapes import Float, Shaped, Tensor

# Sizes of the negative binomial, shapes of the gamma: from far more spread than the mean to almost none.
DISPERSIONS = np.geomspace(0.02, 1e5, 300)
# Below this the softplus is exp(z) to float32's last digit, and its logarithm is z itself.
LINEAR_BELOW = -16.0
# Of the training mean: no smaller mean is predicted for a distribution, and a gamma's density is level below it, since
# at exactly 0 it has none.
SMALLEST = 1e-3


class Positive(Number):
    """Features to one non-negative number.

    Args:
        features: units that come in.
        activation: `softplus`, smooth and never dead, or `relu`, which can predict exactly 0 (its loss is `mse`).
        counts: whether the target is whole numbers, which chooses the predictive distribution.

    Example:
        >>> head = Positive(4)
        >>> head.start(torch.tensor([10.0, 20.0, 30.0]))
        >>> head.predict(head(torch.zeros(2, 4))).tolist()
        [20.0, 20.0]
    """

    task = "positive-regression"
    default_loss = "poisson_nll"
    gives = ("log-rate", "value")

    scale: Tensor
    dispersion: Tensor

    def __init__(
        self,
        features: int,
        *,
        activation: Literal["softplus", "relu"] = "softplus",
        counts: bool = False,
        members: int | None = None,
        loss: LossChoice | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if activation not in ("softplus", "relu"):
            raise RequestError(f"a positive head takes activation 'softplus' or 'relu', got {activation!r}")
        loss = "mse" if loss is None and activation == "relu" else loss
        super().__init__(features, 1, members=members, loss=loss, options=options)
        if activation == "relu" and self.loss_name == "poisson_nll":
            raise RequestError(
                "poisson_nll needs a rate above 0, which relu does not give; try softplus, or loss='mse'"
            )
        self.activation, self.counts = activation, counts
        self.register_buffer("scale", torch.ones((), dtype=torch.float64))
        self.register_buffer("dispersion", torch.ones((), dtype=torch.float64))

    @override
    def start(self, target: Shaped[Tensor, "row"], weight: Float[Tensor, "row"] | None = None) -> None:
        if (target < 0).any():
            raise DataError(
                f"a positive head needs targets of 0 or more, got {float(target.min()):g}; "
                "try task='probabilistic-regression'"
            )
        self.check(target)
        mean, spread = mean_and_spread(target, weight)
        self.scale.copy_(torch.where(mean > 0, mean, torch.ones_like(mean)))
        # Until calibrated, the dispersion that the target itself has: variance m²/k of a gamma, m + m²/k of counts.
        surplus = (spread**2 - mean).clamp(min=0) if self.counts else spread**2
        dispersion = (mean**2 / surplus).clamp(DISPERSIONS[0], DISPERSIONS[-1])
        self.dispersion.copy_(torch.where(mean > 0, dispersion, torch.ones_like(mean)))
        # phi(bias) = 1: the first prediction is the mean.
        self.linear.bias.data.fill_(1.0 if self.activation == "relu" else math.log(math.expm1(1.0)))

    def _rate(self, output: Tensor) -> Tensor:
        """The predicted mean over `scale`, one value for each example and member."""
        return (functional.relu if self.activation == "relu" else functional.softplus)(output[..., 0])

    @override
    def loss_inputs(
        self, output: Float[Tensor, "*lead batch out"], target: Shaped[Tensor, "batch"]
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        scaled = (target / self.scale).to(output.dtype)
        if self.loss_name != "poisson_nll":
            return (self._rate(output),), scaled
        z = output[..., 0]
        log_rate = torch.where(z < LINEAR_BELOW, z, functional.softplus(z.clamp(min=LINEAR_BELOW)).log())
        return (log_rate,), scaled

    @override
    def predict(self, output: Float[Tensor, "*lead batch out"]) -> Float[Tensor, "batch"]:
        rate = self._rate(output).double()
        rate = rate if self.members is None else rate.mean(0)
        return (rate * self.scale).to(torch.get_default_dtype())

    @override
    def distribution(self, output: Float[Tensor, "*lead batch out"]) -> Predictive:
        return self._mixture(output, float(self.dispersion))

    def _mixture(self, output: Tensor, dispersion: float) -> Predictive:
        rate = self._rate(output.detach()).double().cpu() * self.scale.cpu()
        mean = (rate if self.members is not None else rate.unsqueeze(0)).numpy()
        floor = SMALLEST * float(self.scale)
        mean = np.maximum(mean, floor)
        if self.counts:
            return Predictive(NEGATIVE_BINOMIAL, {"mean": mean, "size": np.asarray([[dispersion]])})
        return Predictive(GAMMA, {"mean": mean, "shape": np.asarray([[dispersion]]), "floor": np.asarray([[floor]])})

    @override
    def calibrate(self, output: Float[Tensor, "*lead row out"], target: Shaped[Tensor, "row"]) -> None:
        truth = target.double().cpu().numpy()
        scores = [self._mixture(output, dispersion).log_prob(truth).mean() for dispersion in DISPERSIONS]
        self.dispersion.fill_(float(DISPERSIONS[int(np.argmax(scores))]))


POSITIVE = HeadPart(
    name="positive",
    summary="positive regression: counts, prices, durations",
    source="McCullagh & Nelder 1989; Dugas et al. 2001",
    call=Positive,
    target="number",
    metrics=("rmse", "mae", "r2", "nll", "crps", "coverage_90", "width_90"),
    plain=OF_RATES,
)
