"""Multi-label head: each label yes or no by itself, a sigmoid over each logit.

p(label) = 1 / (1 + exp(-z)); the loss works on the logits. The bias starts at the log-odds of each label's frequency.
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
from evenkeel.heads.plain_models import OF_LABELS
from evenkeel.heads.reliability import reliability
from evenkeel.metrics.auc import auc
from evenkeel.page.comparisons import LabelScore, LabelsSection
from evenkeel.page.sections import Count, TargetSketch
from evenkeel.shapes import Bool, Float, Tensor


class MultiLabel(Head):
    """Features to one logit for each label.

    Example:
        >>> head = MultiLabel(4, labels=6)
        >>> head.predict(head(torch.zeros(2, 4))).shape
        torch.Size([2, 6])
    """

    task = "multi-label"
    default_loss = "binary_cross_entropy"
    gives = ("binary-logits",)

    def __init__(
        self,
        features: int,
        *,
        labels: int,
        members: int | None = None,
        loss: LossChoice | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(features, labels, members=members, loss=loss, options=options)
        self.labels = labels

    @classmethod
    @override
    def sizes(cls, target: Target) -> Mapping[str, Any]:
        return {"labels": len(target.levels)}

    @override
    def start(self, target: Float[Tensor, "row label"], weight: Float[Tensor, "row"] | None = None) -> None:
        if target.shape[1] != self.labels or not ((target == 0) | (target == 1)).all():
            raise DataError(
                f"target must be 0 or 1 in each of {self.labels} labels, got shape {tuple(target.shape)} with values "
                f"{target.unique()[:5].tolist()}; class numbers need task='single-label'"
            )
        self.check(target)
        each = target.double()
        total = float(len(target)) if weight is None else float(weight.double().sum())
        positive = each.sum(0) if weight is None else (each * weight.double()[:, None]).sum(0)
        # Half an example of each kind keeps the log-odds of a label that never, or always, occurs finite.
        share = positive.clamp(0.5, max(total - 0.5, 0.5)) / total
        self.linear.bias.data.copy_(torch.logit(share, eps=1e-6))

    @override
    def loss_inputs(
        self, output: Float[Tensor, "*lead batch out"], target: Float[Tensor, "batch out"]
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        return (output,), target

    @override
    def predict(self, output: Float[Tensor, "*lead batch out"]) -> Bool[Tensor, "batch out"]:
        return self.probability(output) > 0.5

    @override
    def probability(self, output: Float[Tensor, "*lead batch out"]) -> Float[Tensor, "batch out"]:
        each = output.float().sigmoid()
        return each if self.members is None else each.mean(0)

    @override
    def distribution(self, output: Float[Tensor, "*lead batch out"]) -> None:
        return None

    @override
    def calibrate(self, output: Float[Tensor, "*lead row out"], target: Float[Tensor, "row out"]) -> None:
        return None

    @override
    def columns(self, output: Float[Tensor, "*lead batch out"], target: Target) -> Mapping[str, np.ndarray]:
        """Each label as 0 or 1, then the probability of each."""
        probability, names = self.probability(output).double().numpy(), [str(level) for level in target.levels]
        labels = {name: (probability[:, place] > 0.5).astype(np.int8) for place, name in enumerate(names)}
        return labels | {f"probability {name}": probability[:, place] for place, name in enumerate(names)}

    @override
    def answers(
        self, output: Float[Tensor, "*lead batch out"], truth: Float[Tensor, "batch out"], target: Target
    ) -> Answers:
        """The labels that hold; the surest mistake misses most."""
        probability, true = self.probability(output).numpy(), truth.numpy() > 0.5
        predicted = probability > 0.5
        right = (predicted == true).all(1)
        confidence = np.maximum(probability, 1 - probability).prod(1)
        names = np.asarray([str(level) for level in target.levels])
        return Answers(
            truth=[", ".join(names[row]) or "none" for row in true],
            prediction=[", ".join(names[row]) or "none" for row in predicted],
            miss=np.where(right, -confidence, confidence),
            right=right,
            confidence=confidence,
        )

    @override
    def compare(
        self, output: Float[Tensor, "*lead batch out"], truth: Float[Tensor, "batch out"], target: Target
    ) -> LabelsSection:
        """The scores of each label, and how reliable the probabilities of all are."""
        probability, true = self.probability(output).numpy(), truth.numpy()
        scores = [_score(str(level), probability[:, i], true[:, i]) for i, level in enumerate(target.levels)]
        return LabelsSection(labels=scores, reliability=reliability(probability.ravel(), true.ravel() > 0.5))

    @override
    def sketch(self, truth: Float[Tensor, "row out"], target: Target) -> TargetSketch:
        named = zip(target.levels, truth.numpy().sum(0), strict=True)
        return TargetSketch(counts=[Count(name=str(level), count=int(count)) for level, count in named])

    @override
    def judged(
        self, output: Float[Tensor, "*lead batch out"], truth: Float[Tensor, "batch out"], expects: tuple[str, ...]
    ) -> Judged:
        return Judged(prediction=self.probability(output), truth=truth)


def _score(name: str, probability: np.ndarray, truth: np.ndarray) -> LabelScore:
    """Scores of one label."""
    predicted, there = probability > 0.5, truth > 0.5
    hits = float((predicted & there).sum())
    return LabelScore(
        name=name,
        base_rate=float(there.mean()),
        precision=hits / predicted.sum() if predicted.any() else None,
        recall=hits / there.sum() if there.any() else None,
        f1=2 * hits / (predicted.sum() + there.sum()) if predicted.any() or there.any() else None,
        auc=auc(probability, there.astype(np.int64)),
    )


MULTI_LABEL = HeadPart(
    name="multi_label",
    summary="multi-label classification: several labels, each yes or no",
    source="Tsoumakas & Katakis 2007, doi:10.4018/jdwm.2007070101",
    call=MultiLabel,
    target="labels",
    metrics=("hamming", "f1_micro", "f1_macro", "log_loss", "auc", "average_precision"),
    plain=OF_LABELS,
)
