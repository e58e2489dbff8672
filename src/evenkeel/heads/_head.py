"""What every head is: a linear map from features to outputs that knows its loss, its start and its prediction.

The target stays in its own units outside; a head that needs it scaled keeps the scale itself, so that
`head.loss(output, target)` and `head.predict(output)` mean the same to everybody who holds the head.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import nn

from evenkeel import losses
from evenkeel.errors import RequestError
from evenkeel.heads._predictive import Predictive
from evenkeel.nets._blocks import Linear
from evenkeel.shapes import Float, Shaped, Tensor

# Variance of the first outputs: large enough that a gradient reaches the net at once (a head of zeros passes none on),
# small enough that the first loss is the base rate's: it moves the loss by about half of this.
START_VARIANCE = 1e-3

LossChoice = str | Callable[..., Tensor]


class Head(nn.Module, ABC):
    """Features to output, output to loss and prediction. The ensemble's axis, where there is one, comes first.

    Shapes: features (batch, unit) or (member, batch, unit) -> output (batch, ...) or (member, batch, ...).
    """

    task: ClassVar[str]
    default_loss: ClassVar[str]
    gives: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        features: int,
        outputs: int,
        *,
        members: int | None,
        loss: LossChoice | None,
        options: Mapping[str, Any] | None,
    ) -> None:
        super().__init__()
        self.linear = Linear(features, outputs, members=members, variance=START_VARIANCE)
        self.members = members
        self.loss_name, self.loss_function = choose_loss(self, loss)
        self.options = dict(options or {})

    def forward(self, features: Float[Tensor, "*lead batch unit"]) -> Float[Tensor, "*lead batch out"]:
        return self.linear(features)

    def loss(
        self,
        output: Float[Tensor, "*lead batch out"],
        target: Shaped[Tensor, "batch *label"],
        weight: Float[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, ""]:
        """Mean loss over the batch and the ensemble; `weight` (mean 1 over all data) multiplies each example."""
        if self.loss_name is None:
            return self.loss_function(output, target)
        values = self.example_loss(output, target)
        return values.mean() if weight is None else (values * weight).mean()

    @abstractmethod
    def example_loss(
        self, output: Float[Tensor, "*lead batch out"], target: Shaped[Tensor, "batch *label"]
    ) -> Float[Tensor, "*lead batch"]:
        """Loss of each example (and member)."""

    def ensemble_loss(
        self, output: Float[Tensor, "*lead batch out"], target: Shaped[Tensor, "batch *label"]
    ) -> Float[Tensor, "batch"]:
        """Loss of each example under the ensemble as one predictor: a mixture for likelihoods, a mean for errors."""
        if self.loss_name is None:
            return self.loss_function(output, target).expand(len(target))
        if self.members is None:
            return self.example_loss(output, target)
        if self.loss_name == "mse":
            return self.example_loss(output.mean(0, keepdim=True), target)[0]
        each = self.example_loss(output, target)
        return math.log(len(each)) - torch.logsumexp(-each, dim=0)

    @abstractmethod
    def start(self, target: Shaped[Tensor, "row *label"], weight: Float[Tensor, "row"] | None = None) -> None:
        """Set scale and bias from the training target, so that the first loss is that of the base rate or mean."""

    @abstractmethod
    def predict(self, output: Float[Tensor, "*lead batch out"]) -> Shaped[Tensor, "batch *label"]:
        """The prediction: a mean in the target's units, a class number, or labels."""

    @abstractmethod
    def probability(self, output: Float[Tensor, "*lead batch out"]) -> Float[Tensor, "batch label"] | None:
        """Probabilities of classes or labels; None where the target is a number."""

    @abstractmethod
    def distribution(self, output: Float[Tensor, "*lead batch out"]) -> Predictive | None:
        """The predictive distribution in the target's units; None where the head has none."""

    @abstractmethod
    def calibrate(self, output: Float[Tensor, "*lead row out"], target: Shaped[Tensor, "row *label"]) -> None:
        """Fit what makes the predictive distribution honest, on rows that did not train."""


def choose_loss(head: Head, loss: LossChoice | None) -> tuple[str | None, Callable[..., Tensor]]:
    """The loss by name, checked against what the head gives; a callable is taken as it is, with no name.

    A loss fits where it expects a kind of output that the head gives.
    """
    if callable(loss):
        return None, loss
    name = loss or head.default_loss
    record = losses.PARTS[name]
    fitting = fitting_losses(type(head))
    if name not in fitting:
        raise RequestError(
            f"loss {name!r} expects {' or '.join(record.expects)}, the head for {head.task} does not give that; "
            f"losses that fit: {', '.join(fitting)}"
        )
    return name, record.call


def fitting_losses(head: type[Head]) -> tuple[str, ...]:
    """Names of the losses that expect what this kind of head gives."""
    return tuple(name for name, record in losses.PARTS.items() if set(record.expects) & set(head.gives))


def mean_and_spread(target: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Weighted mean and standard deviation in float64; a constant target has spread 1."""
    values = target.double()
    share = torch.full_like(values, 1.0 / len(values)) if weight is None else weight.double() / weight.double().sum()
    mean = (share * values).sum()
    spread = (share * (values - mean) ** 2).sum().sqrt()
    return mean, torch.where(spread > 0, spread, torch.ones_like(spread))
