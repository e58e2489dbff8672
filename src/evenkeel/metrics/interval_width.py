"""Interval width: how wide the predicted central intervals are; at equal coverage, narrower is better.

W = mean of Q((1 + level) / 2) - Q((1 - level) / 2)   [units of the target]
"""

from typing import Any

from evenkeel.metrics.base import Metric, Reported
from evenkeel.metrics.examples import normals
from evenkeel.metrics.gather import TensorOrArray, mean
from evenkeel.metrics.quantile import central_interval


def interval_width(
    distribution: Any, target: TensorOrArray | None = None, weight: TensorOrArray | None = None, *, level: float = 0.9
) -> float:
    """Mean width of the central interval that should hold `level` of the targets, in their units.

    The target itself plays no part; it may be passed so that all metrics of a distribution are called alike.

    Example:
        >>> import torch
        >>> round(interval_width(torch.distributions.Normal(torch.zeros(2), 1.0)), 4)
        3.2897

    """
    low, high = central_interval(distribution, level)
    return mean(high - low, weight)


INTERVAL_WIDTH = Metric(
    name="interval_width",
    summary="width of the predicted interval",
    source="Gneiting, Balabdaoui and Raftery 2007, doi:10.1111/j.1467-9868.2007.00587.x",
    call=interval_width,
    expects=("distribution",),
    better="lower",
    example=normals,
    unit="target",
    reported={"width_90": Reported({"level": 0.9}, "mean width of the 90 % intervals")},
)
