"""What both forecasting heads share: all steps to come at once, put back to where the window they follow stands.

    features (batch, unit)   those of the net; then level and scale of the window, in spreads of its series from its
                             center; then center and spread of the series, in units of the target
    output (batch, horizon + 2, part)   one row a step: mean = level + scale·m [no unit]; then center, then spread

Only who saw the window knows where it stands, so the features carry it, and the output carries the series' units: the
loss and the prediction need nothing else. A window a·y + b is forecast as a·f + b: m does not know a and b.
Source: reversible instance normalisation, Kim et al. 2022, openreview cGDAkQo1C0p
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from typing_extensions import override

from evenkeel.data.target import Target
from evenkeel.errors import DataError, RequestError
from evenkeel.heads.base import Head, Judged
from evenkeel.heads.match import LossChoice
from evenkeel.heads.predictive import Predictive, ends_of
from evenkeel.heads.targets import finite
from evenkeel.shapes import Float, Shaped, Tensor

PLACE = 4  # last features: level and scale of the window, center and spread of its series


class Ahead(Head):
    """Features to steps to come; what each step's prediction is made of is the subclass's."""

    parts: ClassVar[int]

    def __init__(
        self,
        features: int,
        *,
        horizon: int,
        members: int | None,
        loss: LossChoice | None,
        options: Mapping[str, Any] | None,
    ) -> None:
        if horizon < 1 or features <= PLACE:
            raise RequestError(
                f"a forecast needs a horizon of 1 or more and more than {PLACE} features, the last {PLACE} of which "
                f"are level, scale, center and spread; got horizon={horizon}, features={features}"
            )
        super().__init__(features - PLACE, horizon * self.parts, members=members, loss=loss, options=options)
        self.horizon = horizon

    @classmethod
    @override
    def sizes(cls, target: Target) -> Mapping[str, Any]:
        return {"horizon": target.size}

    @override
    def forward(self, features: Float[Tensor, "*lead batch unit"]) -> Float[Tensor, "*lead batch row part"]:
        inputs, place = features[..., :-PLACE], features[..., -PLACE:]
        self.check_features(inputs, self.horizon)
        level, scale, center, spread = place.unsqueeze(-1).unbind(-2)
        steps = self.placed(self.linear(inputs).unflatten(-1, (self.horizon, self.parts)), level, scale)
        units = torch.stack([center, spread], dim=-2).expand(*steps.shape[:-2], 2, self.parts)
        return torch.cat([steps, units], dim=-2)

    @abstractmethod
    def placed(
        self,
        steps: Float[Tensor, "*lead batch step part"],
        level: Float[Tensor, "*lead batch 1"],
        scale: Float[Tensor, "*lead batch 1"],
    ) -> Float[Tensor, "*lead batch step part"]:
        """What the linear map says of each step, put back to the window's level and scale."""

    def units(self, output: Float[Tensor, "*lead batch row part"]) -> tuple[Tensor, Tensor]:
        """Center and spread of each row's series, (batch, 1); all members say the same, and no gradient goes there."""
        one = (output if self.members is None else output[0]).detach()
        return one[:, -2, :1], one[:, -1, :1]

    @override
    def check_target(self, target: Shaped[Tensor, "..."] | None) -> None:
        if target is None:
            return
        if target.dim() != 2 or target.shape[1] != self.horizon:
            raise DataError(
                f"a forecasting head needs {self.horizon} steps to come a row, (batch, {self.horizon}), "
                f"got shape {tuple(target.shape)}; try a row for each window and a column for each step"
            )
        finite(target)

    def standardised(self, output: Tensor, target: Shaped[Tensor, "batch step"]) -> Float[Tensor, "batch step"]:
        """The target in spreads of its series from the series' center."""
        center, spread = self.units(output)
        return ((target - center) / spread).to(output.dtype)

    @override
    def example_loss(
        self, output: Float[Tensor, "*lead batch row part"], target: Shaped[Tensor, "batch step"]
    ) -> Float[Tensor, "*lead batch"]:
        """Mean loss over the steps of each row."""
        return self._element_loss(output, target).mean(-1)

    @override
    def start(self, target: Shaped[Tensor, "row step"], weight: Float[Tensor, "row"] | None = None) -> None:
        """Look at the target; units come with the features, so that at first each window is continued at its level."""
        self.check(target)
        torch.nn.init.zeros_(self.linear.bias)

    @override
    def predict(self, output: Float[Tensor, "*lead batch row part"]) -> Float[Tensor, "batch step"]:
        mean = output[..., :-2, 0].double()
        center, spread = self.units(output)
        return ((mean if self.members is None else mean.mean(0)) * spread + center).to(torch.get_default_dtype())

    @override
    def probability(self, output: Float[Tensor, "*lead batch row part"]) -> None:
        return None

    @override
    def answer(self, output: Float[Tensor, "*lead batch row part"], target: Target) -> np.ndarray:
        """The steps to come of each series, (horizon, series)."""
        return self.predict(output).detach().numpy().T.astype(np.float64)

    @override
    def columns(self, output: Float[Tensor, "*lead batch row part"], target: Target) -> Mapping[str, np.ndarray]:
        """The forecast of each series and, of a distribution, the ends of its 90 % interval, (horizon,)."""
        each, distribution = {"": self.answer(output, target)}, self.answer_distribution(output)
        if distribution is not None:
            each |= {f" {end}": values for end, values in ends_of(distribution).items()}
        return {
            f"{name}{end}": values[:, place]
            for place, name in enumerate(target.columns)
            for end, values in each.items()
        }

    @override
    def answer_distribution(self, output: Float[Tensor, "*lead batch row part"]) -> ByStep | None:
        distribution = self.distribution(output)
        return None if distribution is None else by_step(distribution, self.horizon)

    @override
    def judged(
        self,
        output: Float[Tensor, "*lead batch row part"],
        truth: Shaped[Tensor, "batch step"],
        expects: tuple[str, ...],
    ) -> Judged:
        """Steps count one by one."""
        return Judged(prediction=self.predict(output).double().flatten(), truth=truth.flatten())


class ByStep(Predictive):
    """The distribution of every step of every row, parameters (member, horizon, row): all it gives ends in these two.

    Args:
        family: as of the distribution of rows.
        parameters: arrays (member, horizon, row), mixed with equal weights.

    Example:
        >>> from evenkeel.heads.predictive import NORMAL
        >>> each = ByStep(NORMAL, {"mean": np.zeros((1, 3, 2)), "spread": np.ones((1, 3, 2))})
        >>> len(each), each.mean.shape, each.interval(0.9)[0].shape, each.sample(5).shape
        (3, (3, 2), (3, 2), (5, 3, 2))
    """

    @override
    def __repr__(self) -> str:
        members, steps, rows = next(iter(self.parameters.values())).shape
        return f"ByStep({steps} steps of {rows} rows, mixture of {members} {self.family.name} distributions)"

    @override
    def sample(self, count: int = 1, *, seed: int = 0) -> np.ndarray:
        """Random draws, (count, horizon, row)."""
        shape = next(iter(self.parameters.values())).shape
        flat = {name: each.reshape(shape[0], -1) for name, each in self.parameters.items()}
        return Predictive(self.family, flat).sample(count, seed=seed).reshape(count, *shape[1:])


def by_step(distribution: Predictive, horizon: int) -> ByStep:
    """The same distribution as the predictions of a forecast are: (horizon, row).

    Example:
        >>> from evenkeel.heads.predictive import NORMAL
        >>> rows = Predictive(NORMAL, {"mean": np.array([[1.0, 2.0, 10.0, 20.0]]), "spread": np.ones((1, 4))})
        >>> by_step(rows, 2).mean.tolist()
        [[1.0, 10.0], [2.0, 20.0]]
    """

    def turned(values: np.ndarray) -> np.ndarray:
        return values.reshape(len(values), -1, horizon).swapaxes(1, 2)

    return ByStep(distribution.family, {name: turned(each) for name, each in distribution.parameters.items()})
