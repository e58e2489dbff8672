"""Coverage: how often the target falls into the predicted central interval; close to its level is good.

C = share of rows with  Q((1 - level) / 2) <= y <= Q((1 + level) / 2)
"""

from typing import Any

from evenkeel.metrics.base import Metric, Reported
from evenkeel.metrics.examples import normals
from evenkeel.metrics.gather import TensorOrArray, as_double, mean
from evenkeel.metrics.quantile import central_interval


def coverage(
    distribution: Any, target: TensorOrArray, weight: TensorOrArray | None = None, *, level: float = 0.9
) -> float:
    """Share of targets inside the central interval that should hold `level` of them, rows on axis 0.

    Example:
        >>> import torch
        >>> coverage(torch.distributions.Normal(torch.zeros(2), 1.0), torch.tensor([0.0, 3.0]))
        0.5

    """
    low, high = central_interval(distribution, level)
    true = as_double(target)
    return mean(((low <= true) & (true <= high)).double(), weight)


COVERAGE = Metric(
    name="coverage",
    summary="share of targets inside the predicted interval",
    source="Gneiting, Balabdaoui and Raftery 2007, doi:10.1111/j.1467-9868.2007.00587.x",
    call=coverage,
    expects=("distribution",),
    better="neither",
    example=normals,
    form="percent",
    reported={"coverage_90": Reported({"level": 0.9}, "share of the truth inside the 90 % intervals; 90 % is right")},
)
