"""How a linear operation with weights changes squared norms on average: kappa = ||Jacobian||² / (number of outputs).

Both directions use the same number: E z² = kappa · E x² forward, and |g_in|² = kappa · |g_out|² backward, for gradients
that are independent of the weights. A dense layer has kappa = fan-in · mean W²; a convolution loses what falls outside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from evenkeel.chain.record.operations import CONVOLUTION
from evenkeel.chain.record.values import Operation, Weight

CONVOLUTION_WEIGHT = 1
"""A convolution's arguments are (input, weight, bias)."""


def main_weight(operation: Operation) -> Weight | None:
    """The weight that an operation multiplies its input with (its bias is another of its weights)."""
    if operation.kind == "convolution":
        return next((w for w in operation.weights if w.position == CONVOLUTION_WEIGHT), None)
    if operation.name in ("addmm", "baddbmm", "addmv", "addbmm"):
        return next((w for w in operation.weights if w.position > 0), None)
    if operation.name == "linear":
        return next((w for w in operation.weights if w.position == 1), None)
    if operation.name == "_trilinear":
        return next((w for w in operation.weights if w.tensor.ndim > 2), None)
    return operation.weights[0] if operation.weights else None


def bias_square(operation: Operation) -> float:
    """The mean square of the bias, 0 without one."""
    main = main_weight(operation)
    return sum((weight.mean_square for weight in operation.weights if weight is not main), 0.0)


def contracted(operation: Operation, weight: Weight) -> int | None:
    """The fan-in: how many inputs of a unit the weight sums over, None where that is unknown."""
    shape = weight.tensor.shape
    if operation.kind == "convolution":
        return math.prod(shape[1:])
    if operation.name == "linear":
        return shape[-1]
    if operation.name not in ("mm", "addmm", "bmm", "baddbmm"):
        return None
    first = 1 if operation.name in ("addmm", "baddbmm") else 0
    return shape[-1] if weight.position == first else shape[-2]


def kappa(operation: Operation) -> float | None:
    """||Jacobian||² over the number of outputs, for the actual weights; None for an operation without a rule."""
    weight = main_weight(operation)
    fan_in = None if weight is None else contracted(operation, weight)
    if weight is None or fan_in is None:
        return None
    return (
        fan_in * weight.mean_square * (coverage(operation, weight.tensor) if operation.kind == "convolution" else 1.0)
    )


def coverage(operation: Operation, weight: Tensor) -> float:
    """The share of a kernel's taps that meet the input rather than its padding, on average over outputs.

    A transposed convolution is read backwards, times its inputs per output (its fan-in below is really a fan-out).
    """
    if operation.name not in CONVOLUTION or not operation.inputs or not operation.outputs:
        return 1.0
    stride, padding, dilation, transposed = operation.arguments[3:7]
    kernel = tuple(weight.shape[2:])
    inputs, outputs = operation.inputs[0].shape[-len(kernel) :], operation.outputs[0].shape[-len(kernel) :]
    if transposed:
        outgoing = math.prod(outputs) * operation.outputs[0].shape[1]
        share = math.prod(inputs) * weight.shape[0] / outgoing
        return share * _valid(outputs, inputs, kernel, stride, padding, dilation)
    return _valid(inputs, outputs, kernel, stride, padding, dilation)


def _valid(
    large: Sequence[int],
    small: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> float:
    share = 1.0
    for axis, size in enumerate(kernel):
        step, pad, gap = (_at(value, axis) for value in (stride, padding, dilation))
        position = np.arange(small[axis])[:, None] * step - pad + np.arange(size) * gap
        share *= float(((position >= 0) & (position < large[axis])).mean())
    return share


def _at(value: Sequence[int], axis: int) -> int:
    return value[axis] if len(value) > axis else value[0]
