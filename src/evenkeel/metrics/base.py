"""The record each metric file ends with: what it measures, of which prediction, and which direction is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Generator

from evenkeel.parts import Part

PredictionKind = Literal[
    "value",  # predicted values of the shape of the target
    "distribution",  # an object with .log_prob, .quantile or .cdf (torch's distributions, a head's prediction)
    "class-probability",  # (row, label), each row adds up to 1; target (row,) whole numbers
    "label-probability",  # (row, label), each 0..1 by itself; target (row, label) of 0 and 1
    "embedding",  # (row, unit); target (row,) whole numbers, the same where rows belong together
    "embedding-pair",  # (row, 2, unit); target (row,) whole numbers, the same where pairs are alike
    "log-probability",  # (row, ...) of the tokens that came; target those tokens, of the same shape
    "latent",  # (row, 2·unit): means, then log-variances; the target plays no part
]

MakeMetricExample = Callable[[int, Generator], tuple[Any, Any]]
"""(rows, generator) -> (prediction, target): random data, for tests and for the docs."""


@dataclass(frozen=True)
class Reported:
    """What a name stands for under which a metric is reported: options of it, and what its value says then."""

    options: Mapping[str, Any]
    explanation: str = ""


@dataclass(frozen=True, kw_only=True)
class Metric(Part):
    """A metric: `call(prediction, target, weight=None)`, which predictions it takes, which direction is better.

    `explanation` says to a reader of a report what a value says, if more than the summary; `form` and `unit` how it is
    written: a share as `percent`, or a number in units of the `target`. `reported` are further names, with options.
    `tasks` are those whose runs report it though their heads do not name it.

    `rows` says whether the value of a row depends on the other rows: where it does, a weight is that of a row as a
    question, and is not the same as copies of the row.

    Example:
        >>> from evenkeel import metrics
        >>> metrics.PARTS["auc"].better
        'higher'
    """

    call: Callable[..., float | None]
    expects: tuple[PredictionKind, ...]
    better: Literal["higher", "lower", "neither"]
    example: MakeMetricExample
    rows: Literal["independent", "joint"] = "independent"
    explanation: str = ""
    form: Literal["number", "percent"] = "number"
    unit: Literal["none", "target"] = "none"
    reported: Mapping[str, Reported] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()

    def explain(self, name: str) -> str:
        """What a value says that is reported under a name."""
        own = self.reported[name].explanation if name in self.reported else self.explanation
        return own or self.summary
