"""What every head is: a linear map from features to outputs that knows its loss, its start and its prediction.

The target stays in its own units outside; a head that needs it scaled keeps the scale itself, so that
`head.loss(output, target)` and `head.predict(output)` mean the same to everybody who holds the head.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import nn

from evenkeel import losses
from evenkeel.data.target import Target, TargetKind
from evenkeel.errors import RequestError
from evenkeel.heads.answers import Answers
from evenkeel.heads.loss_choice import check_scalar, choose_loss, fitting_losses
from evenkeel.heads.match import LossChoice, last_operation, refuse
from evenkeel.heads.plain_models import PlainModels
from evenkeel.heads.predictive import Predictive
from evenkeel.heads.targets import CHECKS
from evenkeel.linear import Linear
from evenkeel.page.comparisons import Comparison
from evenkeel.page.sections import Section, TargetSketch
from evenkeel.parts import Part
from evenkeel.shapes import Float, Shaped, Tensor

# Variance of the first outputs: large enough that a gradient reaches the net at once (a head of zeros passes none on),
# small enough that the first loss is the base rate's: it moves the loss by about half of this.
START_VARIANCE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The arguments of a metric."""

    prediction: Any
    truth: Tensor


class Head(nn.Module, ABC):
    """Features to output, output to loss and prediction. The ensemble's axis, where there is one, comes first.

    A head whose output is not one linear map of the features passes `outputs=None` and brings its own. The first batch
    that a head sees is looked at: a target or a net that cannot fit is refused before the first step.

    Shapes: features (batch, unit) or (member, batch, unit) -> output (batch, ...) or (member, batch, ...).
    """

    task: ClassVar[str]
    default_loss: ClassVar[str]
    gives: ClassVar[tuple[str, ...]]
    embeds: ClassVar[Literal["features", "output"]] = "features"  # what stands for an example as a point
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
        """Kinds of output that a loss of one's own takes: no logarithm of a rate, which only a loss by name takes."""
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
        prediction = parts[0] if len(parts) == 1 else torch.stack(parts, dim=-1)
        each = (prediction,) if self.members is None else prediction.unbind(0)
        return torch.stack([check_scalar(self.loss_function(one, truth), output) for one in each]).mean()

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

    # How a person, a page and a metric read it.

    def answer(self, output: Shaped[Tensor, "..."], target: Target) -> np.ndarray:
        """Predictions as a person reads them: numbers in the target's units, classes as they were written."""
        return self.predict(output).detach().numpy()

    def answer_distribution(self, output: Shaped[Tensor, "..."]) -> Predictive | None:
        """The predictive distribution in the shape of `answer`; None where the head has none."""
        return self.distribution(output)

    def decoded(self, output: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."] | None:
        """Each example as it is made from its code; None where the head decodes none."""
        return None

    def columns(self, output: Shaped[Tensor, "..."], target: Target) -> Mapping[str, np.ndarray]:
        """The columns of a table of predictions: `prediction`, and what is known of its certainty."""
        return {"prediction": self.answer(output, target)}

    def answers(self, output: Shaped[Tensor, "..."], truth: Shaped[Tensor, "..."], target: Target) -> Answers | None:
        """Truth and prediction of each row in words; None where a row has no answer in a few words."""
        return None

    def compare(self, output: Shaped[Tensor, "..."], truth: Shaped[Tensor, "..."], target: Target) -> Comparison | None:
        """Predictions beside the truth, as a report draws them; None where it has no drawing for them."""
        return None

    def sketch(self, truth: Shaped[Tensor, "..."], target: Target) -> TargetSketch:
        """The values of the target, or how often each comes, as a report draws them; empty where there is neither."""
        return TargetSketch()

    def picture(self, output: Shaped[Tensor, "..."], truth: Shaped[Tensor, "..."], target: Target) -> Section | None:
        """One picture of all rows in a report; None where the examples themselves are shown, by their kind."""
        return None

    def judged(self, output: Shaped[Tensor, "..."], truth: Shaped[Tensor, "..."], expects: tuple[str, ...]) -> Judged:
        """Prediction and truth as a metric takes them that `expects` these kinds of prediction."""
        return Judged(prediction=self.predict(output), truth=truth)

    def metric_options(self, metric: str) -> Mapping[str, object]:
        """What a metric must know of this head."""
        return {}


def no_distribution(task: str) -> RequestError:
    """The error of asking for a distribution that a task does not predict."""
    return RequestError(
        f"{task} predicts no distribution; train with task='probabilistic-regression', or for classes use predict_proba"
    )


@dataclass(frozen=True, kw_only=True)
class HeadPart(Part):
    """A kind of head.

    Args:
        call: the class.
        target: the kind of target that it learns from.
        metrics: what it is judged by, the first one foremost.
        chosen: where several heads answer a task, whether the task alone chooses it, or a target of its kind, or only
            the setting `head`, by its name.
        plain: the models of scikit-learn that answer the same question; None where none does.
        usage: how a trained run is used; `{new}` stands for new data, `{name}` for what is predicted.
    """

    call: type[Head]
    target: TargetKind
    metrics: tuple[str, ...]
    chosen: Literal["by-task", "by-target", "by-name"] = "by-task"
    plain: PlainModels | None = None
    usage: str = "run.predict({new})  # {name}, as it was trained on"

    @property
    def losses(self) -> tuple[str, ...]:
        """Names of the losses that fit."""
        return fitting_losses(self.call.gives)
