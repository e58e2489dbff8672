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
from evenkeel.heads.base import Head
from evenkeel.heads.part import HeadPart
from evenkeel.heads.predictive import Predictive
from evenkeel.heads.tokens import Tokens
from evenkeel.shapes import Shaped, Tensor

ROWS_AT_ONCE = 4096
SAMPLES = 200  # draws for the CRPS of a family without a closed form: its error is then below the metric's own scatter
# Names under which a metric with options is reported.
NAMED: dict[str, Callable[..., float | None]] = {
    "coverage_90": metrics.PARTS["coverage"].call,
    "width_90": metrics.PARTS["interval_width"].call,
} | {
    f"{side}_recall_at_{k}": partial(metrics.PARTS["partner_recall"].call, k=k, asking=side)
    for side in ("left", "right")
    for k in (1, 5, 10)
}


def scores(
    part: HeadPart,
    head: Head,
    output: Shaped[Tensor, "..."],
    target: Shaped[Tensor, "row *label"],
    weight: Tensor | None = None,
) -> dict[str, float]:
    """Every metric of the head that the data can answer, in the head's order."""
    found = {name: _score(name, part, head, (output, target, weight)) for name in part.metrics}
    return {name: value for name, value in found.items() if value is not None}


def _score(name: str, part: HeadPart, head: Head, data: tuple[Tensor, Tensor, Tensor | None]) -> float | None:
    """One metric, given the kind of prediction it takes."""
    output, target, weight = data
    record = metrics.PARTS[metric_of(name)]
    call = NAMED.get(name, _call_of(name))
    if "distribution" in record.expects:
        distribution = head.distribution(output)
        if distribution is None:
            return None
        target = target.flatten()  # steps of a forecast count one by one
        return _in_parts(call, distribution, target, weight) if name == "crps" else call(distribution, target, weight)
    if "log-probability" in record.expects and isinstance(head, Tokens):
        sizes = {"characters": head.characters} if name == "bits_per_character" else {}
        return call(head.log_probability(output, target), target, weight, **sizes)
    if {"embedding", "embedding-pair"} & set(record.expects):
        return call(head.predict(output), target, weight)
    if part.reads == "inputs":
        return call(output if "latent" in record.expects else head.predict(output), target, weight)
    if "value" in record.expects and part.reads in ("number", "series"):
        return call(head.predict(output).double().flatten(), target.flatten(), weight)
    return call(head.probability(output), target, weight)


def metric_of(name: str) -> str:
    """The metric behind a reported name."""
    if name.startswith(("left_recall_at_", "right_recall_at_")):
        return "partner_recall"
    return {"coverage_90": "coverage", "width_90": "interval_width", "f1_micro": "f1", "f1_macro": "f1"}.get(name, name)


def _call_of(name: str) -> Callable[..., float | None]:
    """The metric's function, with the average that the name asks for."""
    call = metrics.PARTS[metric_of(name)].call
    if name in ("f1_micro", "f1_macro"):
        average = name.removeprefix("f1_")
        return lambda prediction, target, weight=None: call(prediction, target, weight, average=average)
    return call


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
