"""What bodies share: the arguments of a net from the plan, and the features of a net of the user's own."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from evenkeel.errors import RequestError
from evenkeel.kinds.base import Build
from evenkeel.nets import PARTS as NETS
from evenkeel.nets import Net
from evenkeel.nets.base import KindName
from evenkeel.plan import Plan
from evenkeel.shapes import Tensor


def net_for(name: str, reads: KindName) -> Net:
    """The record of a net that reads such data.

    Raises:
        RequestError: there is none of that name, or it reads other data.
    """
    part = NETS[name]
    if reads not in part.reads:
        able = ", ".join(other for other, record in NETS.items() if reads in record.reads)
        raise RequestError(
            f"net {name!r} reads {' and '.join(part.reads)} data, and this is {_article(reads)}; try {able}"
        )
    return part


def _article(reads: str) -> str:
    return f"an {reads}" if reads[0] in "aeiou" else reads if reads == "text" else f"a {reads}"


def takes(build: Build, argument: str) -> bool:
    """Whether the net of the plan, one of ours, has an argument of this name."""
    return build.part is not None and argument in inspect.signature(build.part.call).parameters


def net_arguments(plan: Plan, part: Net) -> dict[str, Any]:
    """Arguments of a net that the plan sets."""
    known = inspect.signature(part.call).parameters
    planned = {name: getattr(plan, name) for name in type(plan).model_fields if name in known}
    return {**planned, **plan.net_options}


def build_net(build: Build, reads: KindName, **sizes: Any) -> nn.Module:
    """Build our net by the plan, with sizes that the data decide; or take the user's own."""
    if build.given is not None:
        return build.given
    part = net_for(build.plan.net, reads)
    try:
        return part.call(**{**net_arguments(build.plan, part), **sizes})
    except TypeError as problem:
        raise RequestError(f"net {part.name!r} cannot be built so: {problem}; see `evenkeel parts nets`") from problem


def features_of(net: nn.Module, batch: Mapping[str, Tensor], description: str) -> int:
    """Number of features of a net: its own attribute, or as measured on a small batch.

    `description` of the batch is for the message.

    Raises:
        RequestError: the net cannot read the batch, or gives no features.
    """
    known = getattr(net, "features", None)
    if isinstance(known, int):
        return known
    training = net.training
    try:
        with torch.no_grad():
            features = net.eval()(**batch)
    except Exception as problem:
        raise RequestError(f"the net cannot read these data: {problem}. It is given {description}") from problem
    finally:
        net.train(training)
    rows = len(next(iter(batch.values())))
    if not isinstance(features, Tensor) or features.dim() not in (2, 3) or features.shape[-2] != rows:
        came = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise RequestError(f"a net must give features of shape (batch, unit), got {came} for a batch of {rows}")
    return features.shape[-1]
