"""The metrics of a head on gathered outputs, by the names that users and reports see.

`nll`, `crps` and intervals are in the target's units; `coverage_90` is the share of targets inside the central 90 %
interval and `width_90` its mean width.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal

from evenkeel import metrics
from evenkeel.heads.base import Head, HeadPart
from evenkeel.heads.predictive import Predictive
from evenkeel.shapes import Shaped, Tensor

ROWS_AT_ONCE = 4096
SAMPLES = 200  # draws for the CRPS of a family without a closed form: its error is then below the metric's own scatter


def scores(
    part: HeadPart,
    head: Head,
    output: Shaped[Tensor, "..."],
    target: Shaped[Tensor, "row *label"],
    weight: Tensor | None = None,
) -> dict[str, float]:
    """Every metric of the head that the data can answer, in the head's order, then those that name its task."""
    scores = {name: _score(name, head, (output, target, weight)) for name in metrics_of(part)}
    return {name: value for name, value in scores.items() if value is not None}


def metrics_of(part: HeadPart) -> tuple[str, ...]:
    """The metrics of the head, then those that name its task and take a prediction that one of its own takes."""
    taken = {kind for name in part.metrics for kind in metrics.PARTS[metric_of(name)].expects}
    named = (
        record for record in metrics.PARTS.values() if part.call.task in record.tasks and taken & {*record.expects}
    )
    return tuple(dict.fromkeys([*part.metrics, *(record.name for record in named)]))


def _score(name: str, head: Head, data: tuple[Tensor, Tensor, Tensor | None]) -> float | None:
    """One metric of the kind of prediction that it takes."""
    output, target, weight = data
    record = metrics.PARTS[metric_of(name)]
    call = _call_of(name)
    if "distribution" in record.expects:
        distribution = head.distribution(output)
        if distribution is None:
            return None
        target = target.flatten()  # steps of a forecast count one by one
        return _in_parts(call, distribution, target, weight) if name == "crps" else call(distribution, target, weight)
    judged = head.judged(output, target, record.expects)
    return call(judged.prediction, judged.truth, weight, **head.metric_options(name))


def metric_of(name: str) -> str:
    """The metric behind a reported name."""
    return next((record.name for record in metrics.PARTS.values() if name in record.reported), name)


def _call_of(name: str) -> Callable[..., float | None]:
    """The metric's function, with the options that the name stands for."""
    record = metrics.PARTS[metric_of(name)]
    return partial(record.call, **record.reported[name].options) if name in record.reported else record.call


def _in_parts(
    call: Callable[..., float | None], distribution: Predictive, target: Tensor, weight: Tensor | None
) -> float:
    """A mean over all rows, some thousand at a time: a mixture's CRPS compares every pair of members in each row."""
    total = mass = 0.0
    for start in range(0, len(target), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        few = Predictive(distribution.family, {name: each[:, part] for name, each in distribution.parameters.items()})
        share = None if weight is None else weight[part]
        size = float(len(target[part]) if share is None else share.sum())
        if size > 0:
            total += size * float(call(_readable(few), target[part], share) or 0.0)
            mass += size
    return total / mass


def _readable(distribution: Predictive) -> object:
    """The distribution as the metric reads it fastest: the CRPS in closed form for normals, from draws otherwise."""
    if distribution.family.name != "normal":
        return distribution.sample(SAMPLES)
    mean, spread = (torch.from_numpy(np.array(distribution.parameters[key].T)) for key in ("mean", "spread"))
    return MixtureSameFamily(Categorical(torch.ones_like(mean)), Normal(mean, spread))
