"""Value head: a real number, the mean of the target.

output z = (mean of y given x - center) / spread; center and spread are those of the training target.   [no unit]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from typing_extensions import override

from evenkeel.heads.base import HeadPart
from evenkeel.heads.match import LossChoice
from evenkeel.heads.number import Number
from evenkeel.heads.plain_models import OF_NUMBERS
from evenkeel.heads.targets import mean_and_spread
from evenkeel.shapes import Float, Shaped, Tensor


class Value(Number):
    """Features to one real number; the loss is the mean squared error of the standardised target.

    Example:
        >>> head = Value(4)
        >>> head.start(torch.tensor([10.0, 20.0, 30.0]))
        >>> head.predict(head(torch.zeros(2, 4))).tolist()
        [20.0, 20.0]
    """

    task = "regression"
    default_loss = "mse"
    gives = ("value",)

    center: Tensor
    spread: Tensor

    def __init__(
        self,
        features: int,
        *,
        members: int | None = None,
        loss: LossChoice | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(features, 1, members=members, loss=loss, options=options)
        self.register_buffer("center", torch.zeros((), dtype=torch.float64))
        self.register_buffer("spread", torch.ones((), dtype=torch.float64))

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
        return (output[..., 0],), ((target - self.center) / self.spread).to(output.dtype)

    @override
    def predict(self, output: Float[Tensor, "*lead batch out"]) -> Float[Tensor, "batch"]:
        value = output[..., 0].double() if self.members is None else output[..., 0].double().mean(0)
        return (value * self.spread + self.center).to(torch.get_default_dtype())

    @override
    def distribution(self, output: Float[Tensor, "*lead batch out"]) -> None:
        return None

    @override
    def calibrate(self, output: Float[Tensor, "*lead row out"], target: Shaped[Tensor, "row"]) -> None:
        return None


VALUE = HeadPart(
    name="value",
    summary="regression: a real number",
    source="mean of the target under squared error",
    call=Value,
    target="number",
    metrics=("rmse", "mae", "r2"),
    plain=OF_NUMBERS,
)
