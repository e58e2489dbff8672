"""The elementwise function behind a recorded activation, its moments, and the best weight scale for it.

The *best* scale is that which keeps unit variance (s = 1/E[phi(z)²]: He for ReLU, LeCun for SELU), unless its
gain is off and the edge of chaos at zero (s = 1/phi'(0)²: Glorot for tanh) does better, with a forward map that is
stable there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from evenkeel.chain.record.values import Operation
from evenkeel.chain.theory.expected import Elementwise, Moments, moments

HOMOGENEOUS = frozenset(["relu", "leaky_relu", "_prelu_kernel"])
"""phi(az) = a phi(z) for a > 0: the moments at one variance give those at all."""
NOT_ELEMENTWISE = frozenset(["glu", "rrelu_with_noise"])
SMALLEST_VARIANCE = 1e-30
GOOD_ENOUGH = 0.05
"""A gain this close to 1 (in ln) at unit variance is not bettered by letting the features fade away."""


@dataclass(frozen=True)
class Activation:
    """A named elementwise function."""

    name: str
    function: Elementwise

    def moments(self, q: float) -> Moments:
        """The means that theory needs, at input variance `q`."""
        if q == 1.0:
            return _moments_at_one(self)
        if self.name not in HOMOGENEOUS:
            return moments(self.function, max(q, SMALLEST_VARIANCE))
        unit = _moments_at_one(self)
        return Moments(
            mean=unit.mean * math.sqrt(q),
            square=unit.square * q,
            slope_square=unit.slope_square,
            slope_fourth=unit.slope_fourth,
        )


IDENTITY = Activation("leaky_relu", lambda z: z)


def activation_of(operation: Operation) -> Activation | None:
    """The elementwise function of a recorded activation, with its own arguments; None where it is no such thing."""
    if operation.kind != "activation" or operation.name in NOT_ELEMENTWISE:
        return None
    if operation.name == "_prelu_kernel":
        slope = float(operation.weights[0].tensor.float().mean()) if operation.weights else 0.25
        return _cached("leaky_relu", torch.ops.aten.leaky_relu.default, (None, slope))
    return _cached(operation.name, operation.function, operation.arguments)


def weight_scale(activation: Activation) -> float:
    """The best weight variance times fan-in for layers with this activation.

    Example:
        >>> round(weight_scale(Activation("relu", torch.relu)), 4), round(weight_scale(Activation("t", torch.tanh)), 4)
        (2.0, 1.0)
    """
    return _best(activation)[0]


def ideal_gain(activation: Activation) -> float:
    """The gain of a layer with this activation at its best scale.

    Example:
        >>> round(ideal_gain(Activation("relu", torch.relu)), 3), round(ideal_gain(Activation("s", torch.sigmoid)), 3)
        (1.0, 0.391)
    """
    return _best(activation)[1]


@lru_cache(maxsize=256)
def _best(activation: Activation) -> tuple[float, float]:
    at_one = activation.moments(1.0)
    if at_one.square <= 0:
        return 1.0, 1.0
    unit = (1 / at_one.square, math.sqrt(at_one.slope_square / at_one.square))
    slope_square = activation.moments(1e-8).slope_square
    zero = activation.function(torch.zeros(1, dtype=torch.float64)).item()
    stable = zero == 0 and at_one.square <= slope_square
    if stable and abs(math.log(max(unit[1], 1e-300))) > GOOD_ENOUGH:
        return 1 / slope_square, 1.0
    return unit


@lru_cache(maxsize=256)
def _moments_at_one(activation: Activation) -> Moments:
    return moments(activation.function, 1.0)


@lru_cache(maxsize=256)
def _cached(name: str, function: Any, arguments: tuple[Any, ...]) -> Activation | None:
    """One function object an activation and its arguments, so that what is computed for it is computed once.

    None where it cannot be applied to numbers alone, whatever the reason: a trace must not fail for want of theory.
    """
    applied = _Applied(function, arguments[1:])
    try:
        moments(applied, 1.0)
    except Exception:
        return None
    return Activation(name, applied)


class _Applied:
    """An operator with all arguments but the first."""

    def __init__(self, function: Any, arguments: tuple[Any, ...]) -> None:
        self._function = function
        self._arguments = arguments

    def __call__(self, z: Tensor) -> Tensor:
        """Apply it; some operators hand a buffer for their backward pass on as well."""
        value = self._function(z, *self._arguments)
        return value[0] if isinstance(value, tuple) else value
