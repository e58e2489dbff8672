"""Single-label head: one class out of several, a softmax over logits.

p(class) = softmax(z)_class; the loss works on the logits z, never on probabilities. The bias starts at the logarithm
of the class frequencies, so that the first loss is their entropy.   Source: Bridle 1990 (softmax).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from evenkeel.data.target import Target
from evenkeel.errors import DataError
from evenkeel.heads.answers import Answers
from evenkeel.heads.base import Head, HeadPart, Judged
from evenkeel.heads.match import LossChoice
from evenkeel.heads.plain_models import OF_CLASSES
from evenkeel.heads.reliability import reliability
from evenkeel.page.comparisons import ClassesSection
from evenkeel.page.sections import Count, TargetSketch
from evenkeel.shapes import Float, Int, Tensor


class SingleLabel(Head):
    """Features to one logit for each class.

    Example:
        >>> head = SingleLabel(4, classes=3)
        >>> head.probability(head(torch.zeros(2, 4))).sum(1).tolist()
        [1.0, 1.0]
    """

    task = "single-label"
    default_loss = "cross_entropy"
    gives = ("logits",)

    def __init__(
        self,
        features: int,
        *,
        classes: int,
        members: int | None = None,
        loss: LossChoice | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(features, classes, members=members, loss=loss, options=options)
        self.classes = classes

    @classmethod
    @override
    def sizes(cls, target: Target) -> Mapping[str, Any]:
        return {"classes": len(target.levels)}

    @override
    def start(self, target: Int[Tensor, "row"], weight: Float[Tensor, "row"] | None = None) -> None:
        if len(target) and (int(target.min()) < 0 or int(target.max()) >= self.classes):
            raise DataError(
                f"target must be whole numbers 0..{self.classes - 1}, got {int(target.min())}..{int(target.max())}"
            )
        self.check(target)
        totals = torch.bincount(target, weights=weight, minlength=self.classes).double()
        # Half an example for a class that training lacks: rare, not impossible.
        share = torch.where(totals > 0, totals, 0.5 * torch.ones_like(totals))
        self.linear.bias.data.copy_((share / share.sum()).log())

    @override
    def loss_inputs(
        self, output: Float[Tensor, "*lead batch out"], target: Int[Tensor, "batch"]
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        return (output,), target

    @override
    def predict(self, output: Float[Tensor, "*lead batch out"]) -> Int[Tensor, "batch"]:
        return self.probability(output).argmax(-1)

    @override
    def probability(self, output: Float[Tensor, "*lead batch out"]) -> Float[Tensor, "batch label"]:
        each = output.float().softmax(-1)
        return each if self.members is None else each.mean(0)

    @override
    def distribution(self, output: Float[Tensor, "*lead batch out"]) -> None:
        return None

    @override
    def calibrate(self, output: Float[Tensor, "*lead row out"], target: Int[Tensor, "row"]) -> None:
        return None

    @override
    def answer(self, output: Float[Tensor, "*lead batch out"], target: Target) -> np.ndarray:
        return np.asarray(target.levels)[self.predict(output).numpy()]

    @override
    def columns(self, output: Float[Tensor, "*lead batch out"], target: Target) -> Mapping[str, np.ndarray]:
        """The class and the probability of each."""
        probability = self.probability(output).double().numpy()
        chances = {f"probability {name}": probability[:, place] for place, name in enumerate(target.levels)}
        return {"prediction": self.answer(output, target), **chances}

    @override
    def answers(self, output: Float[Tensor, "*lead batch out"], truth: Int[Tensor, "batch"], target: Target) -> Answers:
        """Names of classes; the surest mistake misses most."""
        probability, names = self.probability(output).numpy(), np.asarray([str(level) for level in target.levels])
        predicted, confidence, true = probability.argmax(1), probability.max(1), truth.numpy()
        right = predicted == true
        return Answers(
            truth=names[true].tolist(),
            prediction=names[predicted].tolist(),
            miss=np.where(right, -confidence, confidence),
            right=right,
            confidence=confidence,
        )

    @override
    def compare(
        self, output: Float[Tensor, "*lead batch out"], truth: Int[Tensor, "batch"], target: Target
    ) -> ClassesSection:
        """The confusion of classes, and how reliable the probabilities are."""
        probability, true = self.probability(output).numpy(), truth.numpy()
        predicted = probability.argmax(1)
        confusion = np.zeros((len(target.levels), len(target.levels)), dtype=np.int64)
        np.add.at(confusion, (true, predicted), 1)
        return ClassesSection(
            names=[str(level) for level in target.levels],
            confusion=confusion,
            reliability=reliability(probability.max(1), predicted == true),
        )

    @override
    def sketch(self, truth: Int[Tensor, "row"], target: Target) -> TargetSketch:
        counts = np.bincount(truth.numpy(), minlength=len(target.levels))
        named = zip(target.levels, counts, strict=True)
        return TargetSketch(counts=[Count(name=str(level), count=int(count)) for level, count in named])

    @override
    def judged(
        self, output: Float[Tensor, "*lead batch out"], truth: Int[Tensor, "batch"], expects: tuple[str, ...]
    ) -> Judged:
        return Judged(prediction=self.probability(output), truth=truth)


SINGLE_LABEL = HeadPart(
    name="single_label",
    summary="single-label classification: one class out of several",
    source="Bridle 1990, doi:10.1007/978-3-642-76153-9_28",
    call=SingleLabel,
    target="class",
    metrics=("accuracy", "log_loss", "auc", "average_precision", "calibration_error"),
    plain=OF_CLASSES,
)
