"""What every head is: a linear map from features to outputs that knows its loss, its start and its prediction.

The target stays in its own units outside; a head that needs it scaled keeps the scale itself, so that
`head.loss(output, target)` and `head.predict(output)` mean the same to everybody who holds the head.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import nn

from evenkeel import losses
from evenkeel.data.target import Target
from evenkeel.errors import RequestError
from evenkeel.heads.match import LossChoice, expects_of, last_operation, name_of, refuse
from evenkeel.heads.predictive import Predictive
from evenkeel.heads.targets import CHECKS
from evenkeel.linear import Linear
from evenkeel.losses.module import LossModule
from evenkeel.shapes import Float, Shaped, Tensor

# Variance of the first outputs: large enough that a gradient reaches the net at once (a head of zeros passes none on),
# small enough that the first loss is the base rate's: it moves the loss by about half of this.
START_VARIANCE = 1e-3


class Head(nn.Module, ABC):
    """Features to output, output to loss and prediction. The ensemble's axis, where there is one, comes first.

    A head whose output is not one linear map of the features passes `outputs=None` and brings its own. The first batch
    that a head sees is looked at: a target or a net that cannot fit is refused before the first step.

    Shapes: features (batch, unit) or (member, batch, unit) -> output (batch, ...) or (member, batch, ...).
    """

    task: ClassVar[str]
    default_loss: ClassVar[str]
    gives: ClassVar[tuple[str, ...]]
    examples: ClassVar[Literal["independent", "compared"]] = "independent"
    """`compared`: the loss of an example is one of how it lies among the others, and a target may be left out."""

    def __init__(
        self,
        features: int,
        outputs: int | None,
        *,
        members: int | None,
        loss: LossChoice | None,
        options: Mapping[str, Any] | None,
    ) -> None:
        super().__init__()
        if outputs is not None:
            self.linear = Linear(features, outputs, members=members, variance=START_VARIANCE)
        self.members = members
        self.checked, self.begun = False, False
        self.loss_name, self.loss_function = choose_loss(self, loss)
        self.options = dict(options or {})

    @classmethod
    def sizes(cls, target: Target) -> Mapping[str, Any]:
        """Arguments of this head that the target decides, such as the number of classes."""
        return {}

    @property
    def loss_text(self) -> str:
        """The loss in words: its name, or that of a loss of one's own."""
        own = self.loss_function
        return self.loss_name or f"{getattr(own, '__name__', type(own).__name__)} (given)"

    def forward(self, features: Float[Tensor, "*lead batch unit"]) -> Float[Tensor, "*lead batch out"]:
        """Output of the linear map; the first features are checked."""
        self.check_features(features, self.linear.outputs)
        return self.linear(features)

    def check(self, target: Shaped[Tensor, "..."] | None) -> None:
        """Refuse a target that this head cannot learn from; every `start` looks at all of it, else the first batch is.

        Raises:
            DataError: another kind, shape or range than the head reads, or a value that is not finite.
        """
        self.check_target(target)
        self.checked = True

    def check_target(self, target: Shaped[Tensor, "..."] | None) -> None:
        """What `check` asks, by the kind of output that the head foremost gives."""
        if target is not None:
            CHECKS[self.gives[0]](target, self.linear.outputs)

    def check_features(self, features: Tensor, outputs: int) -> None:
        """Refuse the features of a net that ends in what the loss does itself; looks until the first loss was taken.

        A sigmoid may well be the activation of a hidden layer: it counts only where its width is that of the output.
        """
        if self.begun or torch.compiler.is_compiling() or features.grad_fn is None:
            return
        ending = last_operation(features)
        hidden = ending not in ("softmax", "log-softmax") and features.shape[-1] != outputs
        if ending is not None and not hidden and self.gives[0] in ("logits", "binary-logits", "features"):
            refuse(ending, self.loss_name or self.loss_function, "the net")

    def check_first(self, target: Tensor | None) -> None:
        """Look at the first target; once is enough, and a compiled step must not wait for the answer."""
        if self.begun or torch.compiler.is_compiling():
            return
        if not self.checked:
            self.check(target)
        self.begun = True

    def loss(
        self,
        output: Float[Tensor, "..."],
        target: Shaped[Tensor, "batch *label"],
        weight: Float[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, ""]:
        """Mean loss over the batch and the ensemble; `weight` (mean 1 over all data) multiplies each example.

        Raises:
            DataError: the first target is not one that this head can learn from.
            RequestError: a loss of one's own that gives no single number with a gradient, or was asked to weight.
        """
        self.check_first(target)
        if self.loss_name is None:
            return self._own_loss(output, target, weight)
        values = self.example_loss(output, target)
        return values.mean() if weight is None else (values * weight).mean()

    @classmethod
    def gives_own(cls) -> tuple[str, ...]:
        """What a loss of one's own is given: no logarithm of a rate, which only a loss by name takes."""
        return tuple(kind for kind in cls.gives if kind != "log-rate")

    @abstractmethod
    def loss_inputs(
        self, output: Float[Tensor, "*lead batch out"], target: Shaped[Tensor, "batch *label"]
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """Output and target as losses take them: numbers without unit, logits as they are."""

    def example_loss(
        self, output: Float[Tensor, "*lead batch out"], target: Shaped[Tensor, "batch *label"]
    ) -> Float[Tensor, "*lead batch"]:
        """Loss of each example (and member), the mean over its labels where there are several."""
        values = self._element_loss(output, target)
        return values.mean(-1) if values.dim() == output.dim() else values

    def _element_loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Loss of each example, or of each of its labels."""
        parts, truth = self.loss_inputs(output, target)
        return self.loss_function(*parts, truth, reduction="none", **self.options)

    def _own_loss(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Float[Tensor, ""]:
        """A loss of one's own, `loss(output, target) -> scalar`, averaged over the members."""
        if weight is not None:
            raise RequestError(
                "example weights need a loss by name: a loss of your own gives one number for the whole batch; "
                "weight inside it, or leave sample_weight out"
            )
        parts, truth = self.loss_inputs(output, target)
        given = parts[0] if len(parts) == 1 else torch.stack(parts, dim=-1)
        each = (given,) if self.members is None else given.unbind(0)
        return torch.stack([_checked_scalar(self.loss_function(one, truth), output) for one in each]).mean()

    def ensemble_loss(
        self, output: Float[Tensor, "..."], target: Shaped[Tensor, "batch *label"]
    ) -> Float[Tensor, "batch"]:
        """Loss of each example under the ensemble as one predictor, in the way that the loss's record says."""
        if self.loss_name is None:
            return self._own_loss(output, target).expand(len(target))
        if self.members is None:
            return self.example_loss(output, target)
        record = losses.PARTS[self.loss_name]
        if record.ensemble == "mean output":
            (value,), truth = self.loss_inputs(output, target)
            rates = "log-rate" in record.expects
            mean = value.logsumexp(0) - math.log(self.members) if rates else value.mean(0)
            each = self.loss_function(mean, truth, reduction="none", **self.options)
            return each.mean(-1) if each.dim() > 1 else each
        each = self._element_loss(output, target)
        mixture = record.ensemble == "mixture"
        each = math.log(len(each)) - torch.logsumexp(-each, dim=0) if mixture else each.mean(0)
        return each.mean(-1) if each.dim() > 1 else each

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

    A loss fits where it expects a kind of output that the head gives; of a callable that is known for torch's own.
    """
    if callable(loss) and not isinstance(loss, LossModule):
        return None, _fitting_callable(head, loss)
    name = loss.function.__name__ if isinstance(loss, LossModule) else loss or head.default_loss
    record = losses.PARTS[name]
    fitting = fitting_losses(type(head))
    if name not in fitting:
        raise RequestError(
            f"loss {name!r} expects {' or '.join(record.expects)}, the head for {head.task} does not give that; "
            f"losses that fit: {', '.join(fitting)}"
        )
    return name, loss if isinstance(loss, LossModule) else record.call


def _fitting_callable(head: Head, loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A loss of one's own as it is, unless it is a known one that takes something else than the head gives it."""
    kinds = expects_of(loss)
    if kinds and not set(kinds) & set(head.gives_own()):
        raise RequestError(
            f"{name_of(loss)} expects {' or '.join(kinds)}, the head for {head.task} gives "
            f"{' or '.join(head.gives_own())}; losses that fit: {', '.join(fitting_losses(type(head)))}"
        )
    return loss


def _checked_scalar(value: object, output: Tensor) -> Tensor:
    """What a loss of one's own gave, if training can use it."""
    if not isinstance(value, Tensor) or value.dim():
        came = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise RequestError(f"a loss must give one number for a batch, a tensor of shape (), got {came}; try .mean()")
    if output.requires_grad and not value.requires_grad:
        raise RequestError(
            "the loss has no gradient with respect to the output, so nothing can be learned from it; "
            "use differentiable functions of the output, without .detach(), .item() or argmax"
        )
    return value


def fitting_losses(head: type[Head]) -> tuple[str, ...]:
    """Names of the losses that expect what this kind of head gives."""
    return tuple(name for name, record in losses.PARTS.items() if set(record.expects) & set(head.gives))


def mean_and_spread(target: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Weighted mean and standard deviation in float64; a constant target has spread 1."""
    values = target.double()
    share = torch.full_like(values, 1.0 / len(values)) if weight is None else weight.double() / weight.double().sum()
    mean = (share * values).sum()
    spread = (share * (values - mean) ** 2).sum().sqrt()
    # The rounding of the mean is no spread.
    rounding = 8 * torch.finfo(torch.float64).eps * values.abs().max() if len(values) else 0.0
    return mean, torch.where(spread > rounding, spread, torch.ones_like(spread))
