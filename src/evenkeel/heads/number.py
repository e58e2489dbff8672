"""What all heads for one number share: how it is read, compared with the truth, and measured."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from typing_extensions import override

from evenkeel.data.target import Target
from evenkeel.heads.answers import Answers
from evenkeel.heads.base import Head, Judged
from evenkeel.heads.predictive import ends_of
from evenkeel.page.comparisons import RegressionSection
from evenkeel.page.sections import TargetSketch
from evenkeel.shapes import Float, Shaped, Tensor


class Number(Head):
    """Features to one number in the target's units, with or without a distribution."""

    @override
    def probability(self, output: Float[Tensor, "*lead batch out"]) -> None:
        return None

    @override
    def answer(self, output: Float[Tensor, "*lead batch out"], target: Target) -> np.ndarray:
        return self.predict(output).detach().numpy().astype(np.float64)

    @override
    def columns(self, output: Float[Tensor, "*lead batch out"], target: Target) -> Mapping[str, np.ndarray]:
        """The prediction and, of a distribution, the ends of its 90 % interval."""
        columns = {"prediction": self.answer(output, target)}
        distribution = self.distribution(output)
        if distribution is not None:
            columns |= ends_of(distribution)
        return columns

    @override
    def answers(
        self, output: Float[Tensor, "*lead batch out"], truth: Shaped[Tensor, "batch"], target: Target
    ) -> Answers:
        """Numbers to four digits; a row misses by the size of its error."""
        true, predicted = truth.numpy(), self.predict(output).double().numpy()
        return Answers(
            truth=[f"{value:.4g}" for value in true],
            prediction=[f"{value:.4g}" for value in predicted],
            miss=np.abs(predicted - true),
        )

    @override
    def compare(
        self, output: Float[Tensor, "*lead batch out"], truth: Shaped[Tensor, "batch"], target: Target
    ) -> RegressionSection:
        """Predicted over true numbers, with 90 % intervals where there is a distribution."""
        distribution, true = self.distribution(output), truth.double().numpy()
        lower, upper = (None, None) if distribution is None else distribution.interval(0.9)
        return RegressionSection(
            target=target.name,
            truth=true,
            prediction=self.predict(output).numpy(),
            lower=lower,
            upper=upper,
            pit=None if distribution is None else distribution.cdf(true),
        )

    @override
    def sketch(self, truth: Shaped[Tensor, "row"], target: Target) -> TargetSketch:
        return TargetSketch(values=truth.double().numpy())

    @override
    def judged(
        self, output: Float[Tensor, "*lead batch out"], truth: Shaped[Tensor, "batch"], expects: tuple[str, ...]
    ) -> Judged:
        return Judged(prediction=self.predict(output).double().flatten(), truth=truth.flatten())
